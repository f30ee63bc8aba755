//! `evtap lag --watch`: looks again and again. On a terminal the table is drawn over the one
//! before; elsewhere each look is a table, or a line of JSON.

use super::super::error::{Exit, Result};
use super::super::session::Session;
use super::super::topics::Report;
use super::bounds::Bounds;
use super::look::Looker;
use super::{Lag, drawn, print};
use crate::inspect::lag::Depth;

/// To the upper left corner; and away with all, or with what is left of a line or below.
const HOME: &[u8] = b"\x1b[H";
const CLEAR: &[u8] = b"\x1b[2J";
const REST_OF_LINE: &[u8] = b"\x1b[K\n";
const BELOW: &[u8] = b"\x1b[J";

pub(super) async fn run(
    session: &Session,
    args: &Lag,
    looker: &mut Looker<'_>,
    bounds: &Bounds,
) -> Result<Exit> {
    let mut stop = session.minded_stop();
    let redraws = session.stdout_is_terminal && args.output == Report::Text;
    let mut first = true;
    loop {
        let report = tokio::select! {
            () = stop.stopped() => return Ok(Exit::Interrupted),
            report = looker.look(Depth::OFTEN) => report?,
        };
        let mut bytes = drawn(session, args.output, &report);
        if redraws {
            bytes = over_the_last(&bytes, first);
        } else if !first && args.output == Report::Text {
            bytes.insert(0, b'\n');
        }
        if !print(&bytes)? {
            return Ok(Exit::Done);
        }
        first = false;
        if bounds.judge(session, &report) == Exit::Finding {
            return Ok(Exit::Finding);
        }
        tokio::select! {
            () = stop.stopped() => return Ok(Exit::Interrupted),
            () = tokio::time::sleep(args.every) => {}
        }
    }
}

/// The text, drawn over the one before without a flicker.
fn over_the_last(text: &[u8], first: bool) -> Vec<u8> {
    let mut out = HOME.to_vec();
    if first {
        out.extend_from_slice(CLEAR);
    }
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        out.extend_from_slice(REST_OF_LINE);
    }
    out.extend_from_slice(BELOW);
    out
}
