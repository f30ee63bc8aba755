//! What the target will do to the copies, and who reads them there: asked before anything is
//! written, and told before a person says yes.

use std::sync::Arc;
use std::time::Duration;

use super::guard::refused;
use super::plan::{PartitionPolicy, Plan, TimestampPolicy};
use super::{Job, Preview};
use crate::broker::{Broker, Result, TopicSettings};
use crate::event::Timestamp;
use crate::text::{Visible, human};

/// More groups than this are summed up.
const GROUPS: usize = 8;

/// What is known of the target besides its partitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook {
    settings: Option<TopicSettings>,
    /// Consumer groups that stand in the topic.
    readers: Vec<String>,
    /// What could not be asked for, and why.
    untold: Vec<String>,
}

impl Job {
    /// Asks the target. Who may write to a topic need not be allowed to see all of this.
    pub async fn outlook(&self) -> Outlook {
        match &self.the_plan().target.topic {
            // What is not there yet has the broker's defaults and no readers.
            Some(topic) if !self.the_plan().target.create => {
                Outlook::of(topic, &*self.destination().broker).await
            }
            _ => Outlook::default(),
        }
    }
}

impl Outlook {
    async fn of(topic: &Arc<str>, broker: &dyn Broker) -> Self {
        let mut outlook = Self::default();
        match broker.topic_settings(&[Arc::clone(topic)]).await {
            Ok(told) => outlook.settings = told.into_iter().find(|t| t.topic == *topic),
            Err(error) => outlook.untold.push(format!("how it is kept: {error}")),
        }
        if broker.capabilities().groups {
            match broker.groups().await {
                Ok(groups) => {
                    let reads = |g: &&crate::broker::Group| {
                        g.offsets.iter().any(|offset| offset.topic == *topic)
                    };
                    let names = groups.iter().filter(reads).map(|g| g.name.to_string());
                    outlook.readers.extend(names);
                }
                Err(error) => outlook.untold.push(format!("who reads it: {error}")),
            }
        }
        outlook
    }

    /// What a person should know before saying yes; with a preview it says how much it matters.
    pub fn describe(&self, plan: &Plan, preview: Option<&Preview>, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.readers.is_empty() {
            lines.push(format!("  readers {}", self.readers_line()));
        }
        if plan.partitions == PartitionPolicy::Key {
            let order = "order is kept for each key, not between keys of one partition";
            lines.push(format!("  note    {order}"));
        }
        if let Some(settings) = &self.settings {
            let warnings = warnings(settings, plan, preview, now);
            lines.extend(warnings.into_iter().map(|w| format!("  WARNING {w}")));
        }
        let untold = self.untold.iter();
        lines.extend(
            untold.map(|what| format!("  note    the target did not tell {}", Visible(what))),
        );
        lines
    }

    fn readers_line(&self) -> String {
        let shown = self.readers.iter().take(GROUPS);
        let shown: Vec<String> = shown.map(|name| Visible(name).to_string()).collect();
        let more = match self.readers.len().saturating_sub(GROUPS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}: they get the copies", shown.join(", "))
    }

    /// What the target is sure to refuse of what a preview found.
    pub fn judge(&self, plan: &Plan, preview: &Preview, now: Timestamp) -> Result<()> {
        let Some(settings) = &self.settings else {
            return Ok(());
        };
        if settings.compacts == Some(true) && preview.keyless > 0 {
            return Err(refused(
                "compacted target",
                &format!(
                    "{} events have no key, and {} is cleaned by key and takes none without",
                    human::count(preview.keyless),
                    settings.topic
                ),
                "select those with a key (-w '.key != null'), or replay into another topic",
            ));
        }
        if let (Some(oldest), Some(earliest)) = (settings.oldest_ms, preview.earliest)
            && keeps(plan, settings)
            && age(earliest, now) > oldest
        {
            return Err(refused(
                "timestamps",
                &format!(
                    "the earliest event is of {earliest}, and {} takes none that is older than {}",
                    settings.topic,
                    millis(oldest)
                ),
                "replay with --timestamps now or shift: the original goes into a header",
            ));
        }
        Ok(())
    }
}

fn warnings(
    settings: &TopicSettings,
    plan: &Plan,
    preview: Option<&Preview>,
    now: Timestamp,
) -> Vec<String> {
    let mut all = Vec::new();
    if settings.compacts == Some(true) {
        all.push("the target is cleaned by key: only the newest event of a key stays".to_owned());
    }
    if plan.timestamps != TimestampPolicy::Now && settings.append_time == Some(true) {
        all.push("the target stamps events itself: other timestamps are not kept".to_owned());
    }
    if let Some(keeps_for) = settings.retention_ms
        && settings.deletes != Some(false)
        && keeps(plan, settings)
    {
        let kept = format!(
            "the target deletes what is older than {}",
            millis(keeps_for)
        );
        match preview.map(|preview| preview.earliest) {
            Some(Some(earliest)) if age(earliest, now) > keeps_for => all.push(format!(
                "{kept}, and timestamps are kept from {earliest} on: old copies vanish soon after \
                 they are written"
            )),
            Some(_) => {}
            None => all.push(format!(
                "{kept}, and timestamps are kept: copies of older events vanish soon after they \
                 are written"
            )),
        }
    }
    if let (Some(most), Some(preview)) = (settings.max_message_bytes, preview)
        && preview.largest > most
    {
        all.push(format!(
            "the largest event has {}, and the target takes {}: unless compression makes it fit, \
             the run stops there",
            human::size(preview.largest),
            human::size(most)
        ));
    }
    all
}

/// Whether the copies keep the times of their originals.
fn keeps(plan: &Plan, settings: &TopicSettings) -> bool {
    plan.timestamps == TimestampPolicy::Keep && settings.append_time != Some(true)
}

fn age(time: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.0.saturating_sub(time.0)).unwrap_or(0)
}

fn millis(millis: u64) -> String {
    human::duration(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Scanned;
    use crate::pipeline::Consumer;
    use crate::replay::PreviewRun;
    use crate::replay::fake::{batch, event, plan, streams};

    const DAY: u64 = 86_400_000;
    const NOW: Timestamp = Timestamp(1_723_717_843_000 + 10 * DAY.cast_signed());

    fn outlook(set: impl FnOnce(&mut TopicSettings)) -> Outlook {
        let mut settings = TopicSettings::of("copy".into());
        set(&mut settings);
        Outlook {
            settings: Some(settings),
            ..Outlook::default()
        }
    }

    /// Of two events, ten days old; the second has no key.
    async fn preview(plan: &Plan) -> Preview {
        let mut run = PreviewRun::new(plan);
        let mut keyless = event(1, 0);
        keyless.key = None;
        let events = [event(0, 0), keyless];
        run.batch(batch(&streams(), &events)).await.unwrap();
        run.finish(Scanned::default())
    }

    #[tokio::test]
    async fn a_cleaned_target_takes_no_event_without_a_key() {
        let plan = plan();
        let preview = preview(&plan).await;
        let compacted = outlook(|s| s.compacts = Some(true));
        let error = compacted.judge(&plan, &preview, NOW).unwrap_err();
        assert!(
            error
                .message
                .starts_with("guard compacted target: 1 events"),
            "{error}"
        );
        let told = compacted.describe(&plan, None, NOW);
        assert!(
            told[0].contains("only the newest event of a key"),
            "{told:?}"
        );
        assert!(outlook(|_| {}).judge(&plan, &preview, NOW).is_ok());
        assert!(
            outlook(|_| {})
                .describe(&plan, Some(&preview), NOW)
                .is_empty()
        );
    }

    #[tokio::test]
    async fn old_timestamps_meet_retention() {
        let mut plan = plan();
        let preview = preview(&plan).await;
        let week = outlook(|s| s.retention_ms = Some(7 * DAY));
        assert!(week.describe(&plan, Some(&preview), NOW).is_empty());
        plan.timestamps = TimestampPolicy::Keep;
        for seen in [None, Some(&preview)] {
            let told = week.describe(&plan, seen, NOW);
            assert!(told.len() == 1 && told[0].contains("vanish"), "{told:?}");
        }
        let month = outlook(|s| s.retention_ms = Some(30 * DAY));
        assert!(month.describe(&plan, Some(&preview), NOW).is_empty());
        let strict = outlook(|s| s.oldest_ms = Some(DAY));
        let error = strict.judge(&plan, &preview, NOW).unwrap_err();
        assert!(error.message.starts_with("guard timestamps"), "{error}");
        // A target that stamps by itself refuses none, and keeps none.
        let stamping = outlook(|s| {
            s.append_time = Some(true);
            s.retention_ms = Some(DAY);
            s.oldest_ms = Some(DAY);
        });
        assert!(stamping.judge(&plan, &preview, NOW).is_ok());
        let told = stamping.describe(&plan, Some(&preview), NOW);
        assert!(told.len() == 1 && told[0].contains("stamps"), "{told:?}");
    }

    #[tokio::test]
    async fn an_event_that_may_be_too_large_and_the_readers_are_told() {
        let mut plan = plan();
        let preview = preview(&plan).await;
        let mut small = outlook(|s| s.max_message_bytes = Some(10));
        small.readers = (0..10).map(|n| format!("g{n}\u{1b}")).collect();
        plan.partitions = PartitionPolicy::Key;
        let told = small.describe(&plan, Some(&preview), NOW);
        assert!(
            told[0].contains("and 2 more: they get the copies"),
            "{told:?}"
        );
        assert!(told[1].contains("for each key"), "{told:?}");
        assert!(told[2].contains("the largest event has"), "{told:?}");
        assert!(told.iter().all(|l| !l.contains(crate::text::is_hostile)));
    }
}
