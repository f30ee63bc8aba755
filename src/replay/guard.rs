//! What a replay refuses. The first checks need no network; the read-only context and the list of
//! allowed topics hold in the adapter layer as well, whatever happens here.

use std::sync::Arc;

use super::{Place, Plan, Preview};
use crate::broker::guard::allows_write;
use crate::broker::{Address, Error, ErrorKind, Result, Settings};
use crate::text::human;

pub(super) fn refused(guard: &str, what: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("guard {guard}: {what}")).hint(hint)
}

/// The one topic that a target names; `None` for a file, which keeps the events' own topics.
pub fn target_topic(address: &Address) -> Result<Option<Arc<str>>> {
    match address {
        Address::File { .. } => Ok(None),
        Address::Stdin => Err(Error::new(ErrorKind::Usage, "- is no target")
            .hint("to print events, use: evtap read -o jsonl")),
        _ => match address.topics().single() {
            Some(topic) => Ok(Some(topic.into())),
            None => Err(Error::new(
                ErrorKind::Usage,
                format!("the target {address} does not name one topic"),
            )
            .hint("write the topic at the end: --to kafka://localhost:9092/orders.replay")),
        },
    }
}

/// Everything that can be refused before the network is used.
pub fn before_network(
    sources: &[&Address],
    target: &Address,
    settings: &Settings,
    allow_self: bool,
) -> Result<()> {
    let topic = target_topic(target)?;
    if let Some(topic) = &topic {
        allows_write(settings, topic)?;
    }
    let target = Place::new(target.clone(), None);
    for &source in sources {
        let topics = source.topics();
        let same = Place::new(source.clone(), None).is_same(&target);
        let named = topic
            .as_ref()
            .is_some_and(|t| topics.names().any(|name| name == &**t));
        if same && (target.is_file() || named) {
            check_self(&target, topic.as_deref(), allow_self)?;
        }
    }
    Ok(())
}

/// A file that is there is replaced only when that was asked for.
pub fn existing_file(target: &Address, overwrite: bool) -> Result<()> {
    match target {
        Address::File { path } if path.exists() && !overwrite => Err(Error::new(
            ErrorKind::Usage,
            format!("{} exists already", path.display()),
        )
        .hint("choose another name, or give --overwrite")),
        _ => Ok(()),
    }
}

/// The same with what the network told: globs became topics, clusters have names.
pub(super) fn frozen(plan: &Plan) -> Result<()> {
    let target = &plan.target;
    for source in &plan.sources {
        if !source.place.is_same(&target.place) {
            continue;
        }
        let reads_it = |topic: &Arc<str>| source.ranges.iter().any(|r| r.topic == *topic);
        if target.place.is_file() || target.topic.as_ref().is_some_and(reads_it) {
            check_self(
                &target.place,
                target.topic.as_deref(),
                plan.guards.allow_self,
            )?;
        }
    }
    Ok(())
}

fn check_self(target: &Place, topic: Option<&str>, allow_self: bool) -> Result<()> {
    match topic {
        // Writing a file begins by emptying it: nothing would be left to read.
        None => Err(refused(
            "same topic",
            &format!("the file {} is both source and target", target.name()),
            "write into another file",
        )),
        Some(_) if allow_self => Ok(()),
        Some(topic) => Err(refused(
            "same topic",
            &format!("{}/{topic} is both source and target", target.name()),
            "replay into another topic, or give --allow-self: the end is frozen, so it does end",
        )),
    }
}

/// The limits of the plan against what the preview found.
pub fn after_preview(plan: &Plan, preview: &Preview) -> Result<()> {
    if let Some(most) = plan.guards.max_events
        && preview.sent() > most
    {
        let what = format!(
            "{} events would be written, {} are allowed",
            human::count(preview.sent()),
            human::count(most)
        );
        return Err(too_many(&what));
    }
    if let Some(most) = plan.guards.max_duration
        && let Some(expected) = preview.expected
        && expected > most
    {
        let what = format!(
            "at this pace it takes {}, {} are allowed",
            human::duration(expected),
            human::duration(most)
        );
        return Err(too_long(&what));
    }
    Ok(())
}

pub(super) fn too_many(what: &str) -> Error {
    refused("max-events", what, "select less, or raise --max-events")
}

pub(super) fn too_long(what: &str) -> Error {
    refused(
        "max-duration",
        what,
        "replay faster (--speed, --rate, --max-gap), or raise --max-duration",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sources: &[&str], target: &str, allow_self: bool) -> Result<()> {
        let sources: Vec<Address> = sources.iter().map(|s| Address::parse(s).unwrap()).collect();
        let sources: Vec<&Address> = sources.iter().collect();
        let target = Address::parse(target).unwrap();
        before_network(&sources, &target, &Settings::default(), allow_self)
    }

    #[test]
    fn a_replay_onto_its_own_source_is_refused() {
        let onto = "kafka://127.0.0.1:9092/orders";
        for source in [
            "kafka://localhost:9092/orders",
            "kafka://localhost/a,orders",
        ] {
            let error = check(&[source], onto, false).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            assert!(error.message.starts_with("guard same topic"), "{error}");
            assert!(check(&[source], onto, true).is_ok());
        }
        for source in [
            "kafka://other:9092/orders",
            "kafka://localhost/payments",
            "-",
        ] {
            assert!(check(&[source], onto, false).is_ok(), "{source}");
        }
    }

    #[test]
    fn a_file_is_never_written_over_itself() {
        for allow_self in [false, true] {
            let error = check(&["demo:", "./a.mcap"], "a.mcap", allow_self).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
        }
        assert!(check(&["b.mcap"], "a.mcap", false).is_ok());
    }

    #[test]
    fn a_target_is_one_topic() {
        for target in ["kafka://h", "kafka://h/a,b", "kafka://h/a*", "-"] {
            let error = check(&["demo:"], target, false).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{target}");
        }
    }

    #[test]
    fn what_the_context_forbids_is_refused_before_the_network() {
        let source = Address::parse("demo:").unwrap();
        let target = Address::parse("kafka://h/orders").unwrap();
        let settings = Settings {
            read_only: true,
            ..Settings::default()
        };
        let error = before_network(&[&source], &target, &settings, true).unwrap_err();
        assert!(error.message.starts_with("guard read-only"), "{error}");
    }
}
