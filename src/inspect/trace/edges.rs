//! What ties the hops of a trace, from the strongest: a causation id, the trace of a `traceparent`,
//! one correlation id or key together with a model of what follows what. That one came after the
//! other ties nothing.

use super::Hop;
use crate::inspect::saga::Model;

/// How sure an edge is; the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// The effect names the id of its cause.
    Causation,
    /// Both carry the trace id of one `traceparent`.
    Trace,
    /// Both carry one correlation id or key, and the model says that the one follows the other.
    Correlation,
}

impl Strength {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Causation => "causation",
            Self::Trace => "traceparent",
            Self::Correlation => "correlation",
        }
    }
}

/// From a cause to an effect, by the numbers of their hops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub strength: Strength,
}

/// One edge at most to each hop: the strongest that there is, from the nearest hop before it.
pub fn edges(hops: &[Hop], model: Option<&Model>) -> Vec<Edge> {
    let edge = |to: usize| {
        let hop = hops.get(to)?;
        let edge = |from, strength| Edge { from, to, strength };
        if let Some(from) = hop.parent {
            return Some(edge(from, Strength::Causation));
        }
        let before = || hops.get(..to).unwrap_or_default().iter().enumerate().rev();
        let same_trace = |(_, other): &(usize, &Hop)| {
            let trace = |h: &Hop| h.trace.as_ref().map(|(trace, _)| trace.clone());
            trace(other).is_some_and(|own| Some(own) == trace(hop))
        };
        if let Some((from, _)) = before().find(same_trace) {
            return Some(edge(from, Strength::Trace));
        }
        let model = model?;
        let follows = |(_, other): &(usize, &Hop)| {
            let correlated = hop.correlation.is_some() && hop.correlation == other.correlation;
            let keyed = hop.key.is_some() && hop.key == other.key;
            let kinds = other.kind.as_deref().zip(hop.kind.as_deref());
            (correlated || keyed) && kinds.is_some_and(|(cause, kind)| model.leads(cause, kind))
        };
        let (from, _) = before().find(follows)?;
        Some(edge(from, Strength::Correlation))
    };
    (0..hops.len()).filter_map(edge).collect()
}
