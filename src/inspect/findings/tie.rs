//! Findings under their cause: what explains what, of one event.

use super::{Code, Finding};
use crate::inspect::At;
use crate::inspect::lag::Why;

/// Ties findings of one event to the one that explains them: an event sent again has an old time,
/// a group stands before an event because of what is in it.
pub(super) fn tie(findings: &mut [Finding]) {
    let pairs = [
        (Code::TIME_DISORDER, Code::ID_DUPLICATE),
        (Code::TIME_DISORDER, Code::TIME_LATE),
        (Code::TIME_DISORDER, Code::ORDER_VERSION),
        (Code::PRODUCER_HOLE, Code::OFFSET_GAP),
        (Code::of_lag(Why::Poison), Code::PAYLOAD_UNDECODABLE),
        (Code::of_lag(Why::PoisonSuspect), Code::PAYLOAD_UNDECODABLE),
    ];
    let mut known: Vec<(Code, At)> = findings
        .iter()
        .filter(|f| pairs.iter().any(|(_, cause)| *cause == f.code))
        .map(|f| (f.code, f.at.clone()))
        .collect();
    known.sort_by(|a, b| (a.1.rank(), a.0).cmp(&(b.1.rank(), b.0)));
    for finding in findings {
        let causes = pairs.iter().filter(|(effect, _)| *effect == finding.code);
        finding.cause = causes.into_iter().find_map(|(_, cause)| {
            let wanted = (finding.at.rank(), *cause);
            let found = known.binary_search_by(|(code, at)| (at.rank(), *code).cmp(&wanted));
            found.ok().and_then(|i| known.get(i).cloned())
        });
    }
}
