//! How the screen comes to brokers: through whoever started it, who knows the config and its
//! secrets.

use std::sync::Arc;

use super::msg::Trouble;
use crate::broker::{Address, Broker, Capabilities, Settings};
use crate::inspect::saga::Model;
use crate::replay::Plan;
use crate::replay::alter::Means;
use crate::schema::Decoder;

/// An opened source, as the command line opens it.
pub struct Connection {
    /// With its context resolved.
    pub address: Address,
    /// As it was typed, secrets hidden.
    pub shown: String,
    pub broker: Arc<dyn Broker>,
    pub settings: Settings,
    /// `prod` and the like, from the context.
    pub env: Option<String>,
}

impl Connection {
    pub fn capabilities(&self) -> Capabilities {
        self.broker.capabilities()
    }

    pub fn is_demo(&self) -> bool {
        matches!(self.address, Address::Demo { .. })
    }
}

/// Sources that were opened together.
pub struct Connected {
    pub connections: Vec<Arc<Connection>>,
    /// How their events are decoded: each context has schemas of its own.
    pub decoder: Decoder,
    /// What must follow what in them, where somebody says it.
    pub sagas: Option<Arc<Model>>,
}

/// The brokers of a plan that was made before.
pub struct OfPlan {
    /// In the plan's order.
    pub sources: Vec<Connection>,
    pub target: Connection,
    /// Decoding as the plan says, with the schemas that this host knows.
    pub means: Means,
}

/// One context of the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextRow {
    pub name: String,
    /// Without secrets.
    pub url: String,
    pub env: Option<String>,
    pub read_only: bool,
}

/// Opens what a person names. Does not wait for the network.
pub trait Connect: Send + Sync {
    fn open(&self, text: &str) -> Result<Connection, Trouble>;

    /// How the events of these sources are decoded. Does not wait for the network either.
    fn decoder(&self, texts: &[String]) -> Result<Decoder, Trouble>;

    /// What must follow what in the events of these sources.
    fn sagas(&self, _texts: &[String]) -> Result<Option<Arc<Model>>, Trouble> {
        Ok(None)
    }

    /// Both sides of a plan. Does not wait for the network.
    fn plan(&self, plan: &Plan) -> Result<OfPlan, Trouble>;

    /// The contexts of the config, in its order.
    fn contexts(&self) -> Vec<ContextRow>;
}
