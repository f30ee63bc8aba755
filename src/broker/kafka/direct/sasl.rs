//! Logging in.

use super::super::error::Failure;
use super::connection::Connection;
use super::settings::Settings;

/// Proves who we are, where the settings ask for it.
pub(super) async fn log_in(
    _connection: &mut Connection,
    _settings: &Settings,
) -> Result<(), Failure> {
    Ok(())
}
