//! A trace as a Mermaid flowchart: thick arrows by causation id, thin ones by traceparent, dotted
//! ones by correlation and model.

use std::fmt::Write;

use super::Told;
use crate::inspect::trace::{Hop, Strength};

/// The diagram, in lines.
pub fn mermaid(told: &Told<'_>) -> String {
    let mut out = String::from("flowchart LR\n");
    for (number, hop) in told.report.hops.iter().enumerate() {
        let odd = match hop {
            Hop { fault: Some(_), .. } => ":::bad",
            Hop {
                copy_of: Some(_), ..
            }
            | Hop {
                dead_letter: true, ..
            } => ":::odd",
            _ => "",
        };
        let (name, at) = (hop.name(), hop.at.to_string());
        push(
            &mut out,
            format_args!("  h{number}[\"{}<br/>{}\"]{odd}\n", Safe(&name), Safe(&at)),
        );
    }
    for edge in told.edges {
        let arrow = match edge.strength {
            Strength::Causation => "==>",
            Strength::Trace => "-->",
            Strength::Correlation => "-.->",
        };
        push(
            &mut out,
            format_args!("  h{} {arrow} h{}\n", edge.from, edge.to),
        );
    }
    for (number, (after, next)) in told.missing().iter().enumerate() {
        push(
            &mut out,
            format_args!(
                "  m{number}[\"{}<br/>{}\"]:::bad\n  h{after} -.-x m{number}\n",
                Safe(next),
                Safe(&told.verdict())
            ),
        );
    }
    out.push_str("  classDef bad stroke:#c00,stroke-width:2px\n");
    out.push_str("  classDef odd stroke-dasharray:4\n");
    out
}

fn push(out: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into memory does not fail.
    let written = out.write_fmt(line);
    debug_assert!(written.is_ok());
}

/// Text between the quotes of a node: what Mermaid or HTML would take for its own is written by its
/// number, and the rest is safe already.
struct Safe<'a>(&'a str);

impl std::fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '"' | '<' | '>' | '#' | '&' | '`' | ';' | '\\' => write!(f, "#{};", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
