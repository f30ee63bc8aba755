//! The way of one id: as a picture for people, as JSON, as a Mermaid diagram, as spans of
//! OpenTelemetry. What is known of it is `inspect::trace`'s and `inspect::saga`'s.

mod json;
mod mermaid;
mod otlp;
mod picture;

use crate::inspect::saga::Judged;
use crate::inspect::trace::{Edge, Hop, Outcome, TraceReport};

pub use json::json;
pub use mermaid::mermaid;
pub use otlp::otlp;
pub use picture::{Look, picture};

/// All that is told of a trace.
#[derive(Debug)]
pub struct Told<'a> {
    /// What was asked for.
    pub id: &'a str,
    pub report: &'a TraceReport,
    pub edges: &'a [Edge],
    /// The name of the model, and what it says of this one.
    pub saga: Option<(&'a str, &'a Judged)>,
}

impl Told<'_> {
    /// One word: by the model where there is one, else by what other traces did.
    pub fn word(&self) -> &'static str {
        match self.saga {
            Some((_, judged)) => judged.outcome.word(),
            None => self.report.outcome.word(),
        }
    }

    /// The word, and why; safe to show.
    pub fn verdict(&self) -> String {
        match (self.saga, &self.report.outcome) {
            (Some((_, judged)), _) => judged.to_string(),
            (None, Outcome::Unknown(why)) => format!("UNKNOWN, {why}"),
            (None, outcome) => {
                let missing = self.report.missing.iter();
                let lines: Vec<String> = std::iter::once(outcome.word().to_owned())
                    .chain(missing.map(ToString::to_string))
                    .collect();
                lines.join("; ")
            }
        }
    }

    /// The hop after which something is missing, and what; safe to show.
    fn missing(&self) -> Vec<(usize, String)> {
        let Some((_, judged)) = self.saga else {
            let missing = self.report.missing.iter();
            return missing.map(|m| (m.after, m.next.clone())).collect();
        };
        let Some(lack) = &judged.lack else {
            return Vec::new();
        };
        let hops = self.report.hops.iter();
        let after = hops.map(|hop| &hop.at).position(|at| *at == lack.after);
        after
            .map(|after| (after, lack.next.join(" or ")))
            .into_iter()
            .collect()
    }
}

/// Milliseconds since the first hop that has a time.
fn since_start(hops: &[Hop], hop: &Hop) -> Option<i64> {
    let first = hops.iter().filter_map(|h| h.time).min()?;
    Some(hop.time?.0.saturating_sub(first.0))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
