//! Questions about streams and groups: which there are, where they begin and end, what a range
//! comes to. Reads no event for its own sake.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisError, Value, cmd};

use super::connect::Server;
use super::fault;
use super::reply::{self, GroupInfo, StreamInfo};
use crate::broker::{Error, ErrorKind, Notices, Result, TopicSelector};

/// Questions sent in one go; their answers are small, but for two entries each.
const PIPELINED: usize = 64;
/// Keys that one SCAN step looks at.
const SCAN_STEP: usize = 1000;

/// A stream that exists.
pub(super) struct Found {
    pub(super) name: Arc<str>,
    pub(super) info: StreamInfo,
}

/// A connection with the server that it leads to, for messages.
pub(super) struct Look<'a> {
    pub(super) server: &'a Server,
    pub(super) conn: MultiplexedConnection,
}

impl Look<'_> {
    pub(super) async fn ask(&mut self, doing: &str, cmd: &Cmd) -> Result<Value> {
        let answer = self.conn.req_packed_command(cmd).await;
        let answer = answer.and_then(Value::extract_error);
        answer.map_err(|error| fault::explain(self.server, doing, &error))
    }

    /// One answer a command, in order; a server's error is the answer to its command alone.
    pub(super) async fn ask_all(&mut self, doing: &str, cmds: &[Cmd]) -> Result<Vec<Value>> {
        let mut answers = Vec::with_capacity(cmds.len());
        for chunk in cmds.chunks(PIPELINED) {
            let mut pipe = Pipeline::with_capacity(chunk.len());
            for cmd in chunk {
                pipe.add_command(cmd.clone());
            }
            let part = self.conn.req_packed_commands(&pipe, 0, chunk.len()).await;
            answers.extend(part.map_err(|error| fault::explain(self.server, doing, &error))?);
        }
        Ok(answers)
    }

    /// The streams that the selector takes, by name.
    pub(super) async fn find(
        &mut self,
        which: &TopicSelector,
        notices: Option<&Notices>,
    ) -> Result<Vec<Found>> {
        let mut names: BTreeSet<String> = which.names().map(str::to_owned).collect();
        if which.is_all() || which.globs().next().is_some() {
            let (scanned, unreadable) = self.scan(&server_pattern(which)).await?;
            names.extend(scanned.into_iter().filter(|name| which.takes(name, false)));
            if let (true, Some(notices)) = (unreadable > 0, notices) {
                notices.tell(&format!(
                    "{unreadable} streams are left out: their names are not UTF-8"
                ));
            }
        }
        let names: Vec<String> = names.into_iter().collect();
        let questions: Vec<Cmd> = names.iter().map(|name| xinfo_stream(name)).collect();
        let answers = self.ask_all("look at the streams of", &questions).await?;
        let mut found = Vec::with_capacity(names.len());
        for (name, answer) in names.into_iter().zip(answers) {
            let literal = which.names().any(|n| n == name);
            match self.read_info(&name, answer) {
                Ok(info) => found.push(Found {
                    name: name.into(),
                    info,
                }),
                Err(Trouble::Missing) if literal => return Err(self.missing(&name).await),
                Err(Trouble::NoStream(error)) if literal => return Err(error),
                // Gone, or made anew as something else, since the scan.
                Err(Trouble::Missing | Trouble::NoStream(_)) => {}
                Err(Trouble::Other(error)) => return Err(error),
            }
        }
        Ok(found)
    }

    fn read_info(&self, name: &str, answer: Value) -> Result<StreamInfo, Trouble> {
        let doing = format!("look at the stream '{name}' of");
        let answer = answer
            .extract_error()
            .map_err(|error| match missing_or_code(&error) {
                "missing" => Trouble::Missing,
                "WRONGTYPE" => Trouble::NoStream(fault::explain(self.server, &doing, &error)),
                _ => Trouble::Other(fault::explain(self.server, &doing, &error)),
            })?;
        StreamInfo::read(&answer).ok_or_else(|| Trouble::Other(strange(self.server, &doing)))
    }

    /// The error for a stream that is not there, with what might have been meant.
    pub(super) async fn missing(&mut self, name: &str) -> Error {
        let error = Error::new(
            ErrorKind::MissingTopic,
            format!("no stream '{name}' on {}", self.server.name),
        );
        let Ok((names, _)) = self.scan("*").await else {
            return error.hint("`evtap topics` lists the streams");
        };
        error.hint(suggest(name, &names))
    }

    /// The names of all streams that match, and how many more have names that are no UTF-8.
    /// SCAN may name a key twice; the caller's set takes care of it.
    pub(super) async fn scan(&mut self, pattern: &str) -> Result<(BTreeSet<String>, usize)> {
        let (mut names, mut unreadable) = (BTreeSet::new(), BTreeSet::new());
        let mut cursor = b"0".to_vec();
        loop {
            let step = scan_step(&cursor, pattern);
            let answer = self.ask("list the streams of", &step).await?;
            let Some((next, keys)) = scan_reply(&answer) else {
                return Err(strange(self.server, "list the streams of"));
            };
            for key in keys.iter().filter_map(reply::bytes) {
                match std::str::from_utf8(key) {
                    Ok(name) => drop(names.insert(name.to_owned())),
                    Err(_) => drop(unreadable.insert(key.to_vec())),
                }
            }
            if next == b"0" {
                return Ok((names, unreadable.len()));
            }
            cursor = next.to_vec();
        }
    }

    /// The groups of each stream, in the order of the streams. One that went missing has none.
    pub(super) async fn groups_of(&mut self, names: &[&str]) -> Result<Vec<Vec<GroupInfo>>> {
        let doing = "list the groups of";
        let questions: Vec<Cmd> = names
            .iter()
            .map(|name| {
                let mut question = cmd("XINFO");
                question.arg("GROUPS").arg(*name);
                question
            })
            .collect();
        let answers = self.ask_all(doing, &questions).await?;
        let mut all = Vec::with_capacity(names.len());
        for answer in answers {
            match answer.extract_error() {
                Ok(Value::Array(rows)) => {
                    let rows: Option<Vec<GroupInfo>> = rows.iter().map(GroupInfo::read).collect();
                    all.push(rows.ok_or_else(|| strange(self.server, doing))?);
                }
                Ok(_) => return Err(strange(self.server, doing)),
                Err(error) if missing_or_code(&error) == "missing" => all.push(Vec::new()),
                Err(error) => return Err(fault::explain(self.server, doing, &error)),
            }
        }
        Ok(all)
    }
}

enum Trouble {
    Missing,
    NoStream(Error),
    Other(Error),
}

pub(super) fn xinfo_stream(name: &str) -> Cmd {
    let mut question = cmd("XINFO");
    question.arg("STREAM").arg(name);
    question
}

/// "missing" for a key that is not there (XINFO tells it by its text alone), else the code.
pub(super) fn missing_or_code(error: &RedisError) -> &str {
    if error.detail().is_some_and(|d| d.contains("no such key")) {
        "missing"
    } else {
        error.code().unwrap_or_default()
    }
}

pub(super) fn strange(server: &Server, doing: &str) -> Error {
    Error::new(
        ErrorKind::Broker,
        format!(
            "failed to {doing} {}: its answer makes no sense",
            server.name
        ),
    )
    .hint("evtap knows Redis 6.0 and later, and what answers like it")
}

/// One step over the keys, for streams.
pub(super) fn scan_step(cursor: &[u8], pattern: &str) -> Cmd {
    let mut step = cmd("SCAN");
    step.arg(cursor).arg("MATCH").arg(pattern);
    step.arg("COUNT").arg(SCAN_STEP).arg("TYPE").arg("stream");
    step
}

pub(super) fn scan_reply(answer: &Value) -> Option<(&[u8], &[Value])> {
    match answer {
        Value::Array(parts) => match parts.as_slice() {
            [cursor, Value::Array(keys)] => Some((reply::bytes(cursor)?, keys)),
            _ => None,
        },
        _ => None,
    }
}

/// What the server shall match: the only glob in its own notation, else everything.
pub(super) fn server_pattern(which: &TopicSelector) -> String {
    let mut globs = which.globs();
    match (globs.next(), globs.next()) {
        (Some(only), None) => {
            let mut out = String::with_capacity(only.len());
            for c in only.chars() {
                // To Redis, brackets are a class and a backslash quotes; to us they are text.
                if matches!(c, '[' | ']' | '\\' | '^') {
                    out.push('\\');
                }
                // Its `?` is one byte, ours one character: let `takes` decide.
                out.push(if c == '?' { '*' } else { c });
            }
            out
        }
        _ => "*".to_owned(),
    }
}

/// Names close to what was asked for, for a hint.
fn suggest(asked: &str, names: &BTreeSet<String>) -> String {
    let closest = names
        .iter()
        .map(|name| (strsim::jaro_winkler(asked, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match closest {
        None => "this database holds no stream; another one is chosen by ?db=N".to_owned(),
        // Elsewhere the path of a Redis URL is the database.
        Some((likeness, _)) if likeness < 1.0 && asked.bytes().all(|b| b.is_ascii_digit()) => {
            format!("the path names a stream; the database is chosen by ?db={asked}")
        }
        Some((likeness, name)) if likeness >= 0.8 => format!("did you mean '{name}'?"),
        Some(_) if names.len() <= 8 => {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("the streams there: {}", all.join(", "))
        }
        Some(_) => "`evtap topics` lists the streams".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_is_quoted_for_the_server() {
        let pattern = |text: &str| server_pattern(&TopicSelector::parse(text).unwrap());
        assert_eq!(pattern("order*"), "order*");
        assert_eq!(pattern("a[1]\\?*"), "a\\[1\\]\\\\**");
        assert_eq!(pattern("a*,b*"), "*");
        assert_eq!(pattern(""), "*");
    }

    #[test]
    fn a_close_name_is_suggested() {
        let names = ["orders", "payments"].map(str::to_owned).into();
        assert_eq!(suggest("oders", &names), "did you mean 'orders'?");
        assert_eq!(
            suggest("zzz", &names),
            "the streams there: orders, payments"
        );
        assert!(suggest("zzz", &BTreeSet::new()).contains("?db=N"));
        assert!(suggest("3", &names).contains("?db=3"));
    }
}
