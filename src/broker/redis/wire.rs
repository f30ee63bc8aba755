//! One question and its answer, whatever happens to the connection meanwhile.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{Cmd, RedisError, Value};
use tokio::time::Instant;

use super::connect::{LONG_ANSWER, Server};
use super::fault;
use crate::broker::{Notices, Result};

/// A read of a frozen range gives a lost server this long to come back; one that follows waits on.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(50);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An answer, and the connection that it came over. A server's error is a value here.
pub(super) struct Answer {
    pub(super) conn: MultiplexedConnection,
    pub(super) value: Value,
    pub(super) reconnected: bool,
}

/// Asks until there is an answer: connects again when the line breaks or the server restarts, and
/// says so. The question must be one that can be asked twice.
pub(super) async fn ask(
    server: Arc<Server>,
    mut conn: Option<MultiplexedConnection>,
    question: Cmd,
    patience: Option<Duration>,
    notices: Notices,
) -> Result<Answer> {
    let mut lost = None;
    loop {
        let error = match attempt(&server, &mut conn, &question).await {
            Ok((conn, value)) => {
                if lost.is_some() {
                    notices.tell(&format!("connected to {} again", server.name));
                }
                return Ok(Answer {
                    conn,
                    value,
                    reconnected: lost.is_some(),
                });
            }
            Err(error) => error,
        };
        conn = None;
        let told = fault::explain(&server, "read from", &error);
        if !fault::is_passing(&error) {
            return Err(told);
        }
        let (since, pause) = lost.get_or_insert_with(|| {
            notices.tell(&format!("lost the connection: {told}; trying again"));
            (Instant::now(), FIRST_PAUSE)
        });
        if patience.is_some_and(|patience| since.elapsed() > patience) {
            return Err(told);
        }
        tokio::time::sleep(*pause).await;
        *pause = (*pause * 2).min(LONGEST_PAUSE);
    }
}

async fn attempt(
    server: &Server,
    conn: &mut Option<MultiplexedConnection>,
    question: &Cmd,
) -> Result<(MultiplexedConnection, Value), RedisError> {
    let mut conn = match conn.take() {
        Some(conn) => conn,
        None => server.connect(LONG_ANSWER).await?,
    };
    let value = conn.req_packed_command(question).await?;
    if let Value::ServerError(error) = &value {
        let error = RedisError::from(error.clone());
        if fault::is_passing(&error) {
            return Err(error);
        }
    }
    Ok((conn, value))
}
