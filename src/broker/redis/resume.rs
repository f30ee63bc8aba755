//! After a write whose answer was lost: how much of the pipeline is in the stream. Redis runs a
//! pipeline in order, so what it stored is a beginning of it; it is found again by its fields among
//! the entries after the last id that was acknowledged. Other writers' entries may lie between.

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{Arg, Cmd, Pipeline, RedisError, Value, cmd};
use tokio::time::Instant;

use super::connect::{LONG_ANSWER, Server};
use super::look::{missing_or_code, strange, xinfo_stream};
use super::range::id_text;
use super::reply::{self, StreamInfo};
use super::{fault, wire};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::{Position, PositionStyle};

/// Entries looked at in one step.
const STEP: usize = 200;
/// What stands before the fields: `XADD key *`.
const HEAD: usize = 3;

/// A new connection, and how far the write had come on the lost one.
pub(super) struct Stand {
    pub(super) conn: MultiplexedConnection,
    /// Commands of the pipeline that were carried out.
    pub(super) stored: usize,
    pub(super) last_id: Position,
}

enum Trouble {
    /// Worth another attempt.
    Line(RedisError),
    Final(Error),
}

/// Waits for the server to come back, and looks.
pub(super) async fn find_stand(
    server: &Server,
    topic: &str,
    last_id: Position,
    pipe: &Pipeline,
) -> Result<Stand> {
    let (begun, mut pause) = (Instant::now(), wire::FIRST_PAUSE);
    loop {
        match attempt(server, topic, last_id, pipe).await {
            Ok(stand) => return Ok(stand),
            Err(Trouble::Line(error))
                if fault::is_passing(&error) && begun.elapsed() < wire::PATIENCE => {}
            Err(Trouble::Line(error)) => {
                return Err(fault::explain(
                    server,
                    &format!("write to '{topic}' on"),
                    &error,
                ));
            }
            Err(Trouble::Final(error)) => return Err(error),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(wire::LONGEST_PAUSE);
    }
}

async fn attempt(
    server: &Server,
    topic: &str,
    last_id: Position,
    pipe: &Pipeline,
) -> Result<Stand, Trouble> {
    let mut conn = server.connect(LONG_ANSWER).await.map_err(Trouble::Line)?;
    let info = match ask(&mut conn, &xinfo_stream(topic)).await {
        Err(error) if missing_or_code(&error) == "missing" => None,
        answer => {
            let answer = answer.map_err(Trouble::Line)?;
            let read = StreamInfo::read(&answer);
            Some(read.ok_or_else(|| Trouble::Final(strange(server, "look at")))?)
        }
    };
    // Its last id is older than one that it acknowledged: the restart threw events away.
    if info.is_none_or(|info| info.last_id < last_id) {
        return Err(Trouble::Final(
            Error::new(
                ErrorKind::Broker,
                format!(
                    "{} came back without events of '{topic}' that it had acknowledged",
                    server.name
                ),
            )
            .hint("it keeps no append-only file, or syncs it late: compare, and replay again"),
        ));
    }
    let mut stand = Stand {
        conn,
        stored: 0,
        last_id,
    };
    let mut waiting = pipe.cmd_iter().peekable();
    let mut from = last_id;
    loop {
        let mut question = cmd("XRANGE");
        question
            .arg(topic)
            .arg(id_text(from.next(PositionStyle::Entry)))
            .arg("+")
            .arg("COUNT")
            .arg(STEP);
        let answer = ask(&mut stand.conn, &question)
            .await
            .map_err(Trouble::Line)?;
        let Value::Array(entries) = answer else {
            return Err(Trouble::Final(strange(server, "read back from")));
        };
        for entry in &entries {
            let (id, fields) = reply::entry(entry)
                .ok_or_else(|| Trouble::Final(strange(server, "read back from")))?;
            from = id;
            if waiting.next_if(|cmd| wrote(cmd, fields)).is_some() {
                stand.stored += 1;
                stand.last_id = id;
            }
        }
        if entries.len() < STEP || stand.stored == pipe.len() {
            return Ok(stand);
        }
    }
}

async fn ask(conn: &mut MultiplexedConnection, question: &Cmd) -> Result<Value, RedisError> {
    conn.req_packed_command(question).await?.extract_error()
}

/// True when these fields are what the command adds.
fn wrote(cmd: &Cmd, fields: &[Value]) -> bool {
    let args = cmd.args_iter().skip(HEAD).map(|arg| match arg {
        Arg::Simple(bytes) => Some(bytes),
        _ => None,
    });
    args.eq(fields.iter().map(reply::bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_known_by_all_of_its_fields() {
        let mut add = cmd("XADD");
        add.arg("t")
            .arg("*")
            .arg("key")
            .arg("k")
            .arg("value")
            .arg(b"\xff");
        let bulk = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
        let same = [bulk(b"key"), bulk(b"k"), bulk(b"value"), bulk(b"\xff")];
        assert!(wrote(&add, &same));
        assert!(!wrote(&add, &same[..2]));
        let other = [bulk(b"key"), bulk(b"k"), bulk(b"value"), bulk(b"\xfe")];
        assert!(!wrote(&add, &other));
    }
}
