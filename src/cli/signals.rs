//! Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process at once. Of a
//! closed terminal (SIGHUP) only the screen is told: a `record` under `nohup` must outlive it.

use super::error::{Exit, Failure, Result};
use crate::pipeline::Stop;

/// Listens from now on.
pub fn listen(end_at_once: fn()) -> Result<Stop> {
    let (handle, stop) = Stop::new();
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).map_err(|e| failed(&e))?
    };
    #[cfg(unix)]
    let mut interrupt = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::interrupt()).map_err(|e| failed(&e))?
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
                // A screen that hangs must not leave its terminal behind.
                crate::tui::give_back();
                end_at_once();
            }
        }
    });
    Ok(stop)
}

/// The same wish to stop, which the end of the terminal brings, too.
pub fn or_hang_up(stop: Stop) -> Result<Stop> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hang_up = signal(SignalKind::hangup()).map_err(|e| failed(&e))?;
        let (handle, either) = Stop::new();
        let mut stop = stop;
        tokio::spawn(async move {
            tokio::select! {
                () = stop.stopped() => {}
                _ = hang_up.recv() => {}
            }
            handle.stop();
        });
        Ok(either)
    }
    #[cfg(not(unix))]
    Ok(stop)
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("cannot listen to signals: {error}"))
}
