//! One look at the groups of a broker: reads the few events behind each commit, and tells how far
//! behind each group is, and why. Bounded in events and in time; nothing is committed or joined.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::{self, Group};
use crate::event::Timestamp;
use crate::inspect::lag::{Depth, LagReport, Limits, Probe, Trend, plan};
use crate::pipeline::look_behind;
use crate::tui::connect::Connection;
use crate::tui::msg::Trouble;

/// All reads of one look together.
const PATIENCE: Duration = Duration::from_secs(4);

/// What goes from look to look.
#[derive(Default)]
pub struct Memory {
    trend: Trend,
    /// Behind which commits was looked, and what was found there.
    probe: Option<(Vec<Group>, Probe)>,
}

/// What came of a look.
pub struct Looked {
    pub memory: Memory,
    pub report: LagReport,
    /// The events behind commits could not be read, or not all.
    pub trouble: Option<Trouble>,
}

/// Takes one look. `now` is the person's clock, where it was given.
pub async fn look(
    connection: Arc<Connection>,
    mut groups: Vec<Group>,
    mut memory: Memory,
    wall: Timestamp,
    now: Option<Timestamp>,
) -> broker::Result<Looked> {
    // Whoever has no clock of its own lives by the wall's.
    let clock = connection.broker.clock().await.ok().flatten();
    let now = now.or(clock).unwrap_or(wall);
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    let mut trouble = None;
    let probe = match memory.probe.take() {
        Some((before, probe)) if before == groups => probe,
        _ => {
            let mut probe = Probe::new(&groups);
            let passes = plan(&groups, Depth::OFTEN);
            let broker = &*connection.broker;
            let looked = look_behind(broker, &passes, PATIENCE, &mut probe).await;
            trouble = looked.failed.map(Trouble::from);
            if looked.late {
                trouble = Some(Trouble {
                    message: "there was no time to read all events behind the commits".to_owned(),
                    hint: None,
                });
            }
            probe
        }
    };
    // Many groups on many partitions are work that must not hold up other messages.
    let told = tokio::task::spawn_blocking(move || {
        memory.trend.look(now, &groups);
        let report = LagReport::new(&groups, &probe, &memory.trend, now, Limits::default());
        // What could not be read is tried again at the next look.
        memory.probe = trouble.is_none().then_some((groups, probe));
        Looked {
            memory,
            report,
            trouble,
        }
    });
    told.await.map_err(|error| {
        broker::Error::new(
            broker::ErrorKind::Broker,
            format!("the look at the groups ended early: {error}"),
        )
    })
}
