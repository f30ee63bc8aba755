//! Telling people that a cluster is lost, and that it is there again; each once. How that is found
//! out is the caller's.

use std::time::Duration;

use crate::broker::Notices;

/// A broker may be gone for a moment without anything to tell.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Contact {
    notices: Notices,
    lost: bool,
}

impl Contact {
    /// `lost`: that was said already.
    pub(super) const fn new(notices: Notices, lost: bool) -> Self {
        Self { notices, lost }
    }

    /// It was said that the cluster is lost, and not that it is there again.
    pub(super) const fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn lose(&mut self, brokers: &str) {
        self.lose_while(brokers, "");
    }

    /// With what happens meanwhile, and a comma: `5 events wait, `.
    pub(super) fn lose_while(&mut self, brokers: &str, meanwhile: &str) {
        if !std::mem::replace(&mut self.lost, true) {
            self.notices.tell(&format!(
                "lost the connection to {brokers}; {meanwhile}trying again"
            ));
        }
    }

    pub(super) fn find(&mut self, brokers: &str) {
        if std::mem::take(&mut self.lost) {
            self.notices.tell(&format!("connected to {brokers} again"));
        }
    }
}
