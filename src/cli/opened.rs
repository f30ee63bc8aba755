//! A source or target that a command has opened: with what, and as what it is handed on.

use std::sync::Arc;

use super::error::Result;
use super::session::Session;
use crate::broker::{Address, Broker, Settings};
use crate::event::Timestamp;
use crate::replay::{Create, Destination};

/// A source or target, opened.
pub struct Opened {
    /// With its context resolved and its properties moved to the settings.
    pub address: Address,
    /// As the user typed it, secrets hidden.
    pub shown: String,
    pub broker: Arc<dyn Broker>,
    pub settings: Settings,
    /// `prod` and the like, from the context.
    pub env: Option<String>,
}

impl Opened {
    /// As what a replay writes to.
    pub fn destination(self, create: Create, overwrite: bool) -> Destination {
        Destination {
            address: self.address,
            shown: self.shown,
            broker: self.broker,
            env: self.env,
            create,
            overwrite,
        }
    }

    /// The clock of ages: `--now`, else the broker's own, else the wall clock.
    pub async fn now(&self, session: &Session) -> Result<Timestamp> {
        if let Some(now) = session.global.now {
            return Ok(now);
        }
        let own = self.broker.clock().await?;
        Ok(own.unwrap_or_else(Timestamp::wall_clock))
    }
}
