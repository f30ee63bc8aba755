//! The config file: contexts, topics, the look, secrets, and imports from other tools' files.
//! The bottom room: it knows nothing of brokers, events or screens.

mod edit;
mod error;
mod file;
mod imports;
mod java;
mod mistake;
mod model;
mod secret;

pub use edit::add_context;
pub use error::{ConfigError, did_you_mean};
pub use file::{Config, config_folder, config_path, read_page};
pub use imports::{Imported, ImportedSecrets, import_java, import_kcat};
pub use mistake::{describe_toml, line_and_column};
pub use model::{Context, Decode, Schemas, TopicConfig};
pub use secret::{PropertyValue, is_secret_name};
