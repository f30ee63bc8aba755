//! Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process at once.

use super::error::{Exit, Failure, Result};
use crate::pipeline::Stop;

/// Listens from now on.
pub fn listen(end_at_once: fn()) -> Result<Stop> {
    let (handle, stop) = Stop::new();
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Usage, format!("cannot listen to signals: {error}"))
    };
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).map_err(failed)?
    };
    #[cfg(unix)]
    let mut interrupt = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::interrupt()).map_err(failed)?
    };
    tokio::spawn(async move {
        loop {
            #[cfg(unix)]
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            #[cfg(not(unix))]
            if tokio::signal::ctrl_c().await.is_err() {
                return;
            }
            if handle.stop() {
                end_at_once();
            }
        }
    });
    Ok(stop)
}
