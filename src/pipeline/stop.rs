//! The wish to stop, from Ctrl-C or a closed pipe, as something that can be awaited.

use tokio::sync::watch;

/// The side that stops.
#[derive(Debug, Clone)]
pub struct StopHandle {
    sender: watch::Sender<bool>,
}

/// The side that is stopped. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop {
    receiver: watch::Receiver<bool>,
}

impl Stop {
    pub fn new() -> (StopHandle, Self) {
        let (sender, receiver) = watch::channel(false);
        (StopHandle { sender }, Self { receiver })
    }

    pub fn is_stopped(&self) -> bool {
        *self.receiver.borrow()
    }

    /// Ends once somebody stops; never when the handle is gone without it.
    pub async fn stopped(&mut self) {
        if self.receiver.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl StopHandle {
    /// Returns true when it was stopped before.
    pub fn stop(&self) -> bool {
        self.sender.send_replace(true)
    }
}
