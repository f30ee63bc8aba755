//! What came of an expectation: for people, for tools and for CI servers.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Ended, Expect, Expected, Format, Verdict, Wanted};
use crate::cli::error::{Exit, Result};
use crate::cli::print::{print_json, print_lines};
use crate::cli::session::Session;
use crate::output::Xml;
use crate::text::{Visible, human};

pub fn print(session: &Session, args: &Expect, came: &Expected, wanted: Wanted) -> Result<Exit> {
    match args.output {
        Format::Text => text(session, args, came, wanted),
        Format::Json => print_json(&as_json(came, wanted)),
        Format::Junit => print_lines(junit(args, came, wanted).lines().map(str::to_owned)),
    }
}

fn text(session: &Session, args: &Expect, came: &Expected, wanted: Wanted) -> Result<Exit> {
    let line = |(at, line): &(String, Vec<u8>)| format!("{at}  {}", String::from_utf8_lossy(line));
    print_lines(came.events.iter().map(line))?;
    match &came.verdict {
        Verdict::Met => session.say(&format!(
            "met: {} in {}",
            matched(came),
            human::duration(came.took)
        )),
        Verdict::Failed => session.say(&format!("failed: {}", why(args, came, wanted))),
        Verdict::Inconclusive(why) => session.say(&format!("INCONCLUSIVE: {}", Visible(why))),
    }
    Ok(Exit::Done)
}

fn matched(came: &Expected) -> String {
    match came.matched {
        1 => "1 event matched".to_owned(),
        n => format!("{} events matched", human::count(n)),
    }
}

/// Why it failed, with the event that nearly matched.
fn why(args: &Expect, came: &Expected, wanted: Wanted) -> String {
    match came.command {
        Ended::Code(0) | Ended::None => {}
        Ended::Code(code) => return format!("the command ended with {code}"),
        Ended::Killed => return "the command was ended by a signal".to_owned(),
    }
    let wanted = match wanted {
        Wanted::Exactly(0) => "none may".to_owned(),
        Wanted::Exactly(n) => format!("exactly {} must", human::count(n)),
        Wanted::AtLeast(n) => format!("{} must", human::count(n)),
    };
    let mut why = format!(
        "{}, {wanted}, within {}",
        matched(came),
        human::duration(args.within)
    );
    if let Some(seen) = came.seen {
        let written = write!(why, "; {} events came in all", human::count(seen));
        debug_assert!(written.is_ok());
    }
    if came.matched == 0
        && let Some(nearest) = &came.nearest
    {
        let fails = nearest.fails.join(" and ");
        let written = write!(
            why,
            "; the nearest, {}, fails {}",
            nearest.at,
            Visible(&fails)
        );
        debug_assert!(written.is_ok());
    }
    why
}

fn as_json(came: &Expected, wanted: Wanted) -> Value {
    let event = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap_or_default();
    let events = came.events.iter();
    let events: Vec<Value> = events
        .map(|(at, line)| json!({"at": at, "event": event(line)}))
        .collect();
    let nearest = came.nearest.as_ref().map(|nearest| {
        json!({
            "at": nearest.at,
            "fails": nearest.fails,
            "event": event(&nearest.line),
        })
    });
    let (verdict, reason) = match &came.verdict {
        Verdict::Met => ("met", None),
        Verdict::Failed => ("failed", None),
        Verdict::Inconclusive(why) => ("inconclusive", Some(why)),
    };
    let (exactly, at_least) = match wanted {
        Wanted::Exactly(n) => (Some(n), None),
        Wanted::AtLeast(n) => (None, Some(n)),
    };
    json!({
        "verdict": verdict,
        "reason": reason,
        "matched": came.matched,
        "wanted": {"at_least": at_least, "exactly": exactly},
        "seen": came.seen,
        "events": events,
        "nearest": nearest,
        "command": match came.command {
            Ended::None => Value::Null,
            Ended::Code(code) => json!({"exit": code}),
            Ended::Killed => json!({"exit": null}),
        },
        "elapsed_ms": u64::try_from(came.took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn junit(args: &Expect, came: &Expected, wanted: Wanted) -> String {
    let name = args.sources.join(" ");
    let select = &args.select;
    let conditions = select.where_.iter().chain(&select.filters);
    let conditions = conditions.chain(&select.grep).chain(&select.keys);
    let conditions: Vec<&str> = conditions.map(String::as_str).collect();
    let (failures, skipped, body) = match &came.verdict {
        Verdict::Met => (0, 0, "/>".to_owned()),
        Verdict::Failed => {
            let why = why(args, came, wanted);
            let nearest = came.nearest.as_ref().map(|nearest| &nearest.line[..]);
            let nearest = String::from_utf8_lossy(nearest.unwrap_or_default());
            let failure = format!(
                "><failure type=\"expectation\" message=\"{}\">{}</failure></testcase>",
                Xml(&why),
                Xml(&nearest)
            );
            (1, 0, failure)
        }
        Verdict::Inconclusive(why) => {
            let skipped = format!("><skipped message=\"{}\"/></testcase>", Xml(why));
            (0, 1, skipped)
        }
    };
    let seconds = came.took.as_secs_f64();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites><testsuite name=\"evtap expect {}\" tests=\"1\" failures=\"{failures}\" \
         skipped=\"{skipped}\" errors=\"0\" time=\"{seconds:.3}\">\n  \
         <testcase classname=\"evtap.expect\" name=\"{}\" time=\"{seconds:.3}\"{body}\n\
         </testsuite></testsuites>",
        Xml(&name),
        Xml(&conditions.join(" and "))
    )
}
