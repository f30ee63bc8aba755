//! `--explain`: how the selection will run. Looks up positions, reads no event.

use std::io::Write;

use super::error::{Exit, Result};
use super::print::closed_is_done;
use crate::pipeline::Reading;
use crate::text::Visible;
use crate::text::human;

pub async fn print(reading: &Reading) -> Result<Exit> {
    let mut lines = Vec::new();
    let all = reading.resolve().await?;
    for (input, ranges) in reading.inputs.iter().zip(all) {
        let capabilities = input.broker.capabilities();
        lines.push(format!(
            "source {} ({}), looking is {}",
            input.shown,
            capabilities.adapter,
            capabilities.look.name()
        ));
        if let Some(reader) = input.broker.reader() {
            lines.push(format!("  {reader}"));
        }
        for range in ranges {
            let style = range.style;
            let end = if reading.follow {
                "…".to_owned()
            } else {
                range.end.display(style).to_string()
            };
            let size = match style {
                crate::event::PositionStyle::Offset if !reading.follow => format!(
                    ", {} offsets",
                    human::count(range.end.major - range.start.major)
                ),
                _ => String::new(),
            };
            lines.push(format!(
                "  {}/{} [{}, {end}){size}",
                range.topic,
                range.partition,
                range.start.display(style)
            ));
        }
    }
    lines.extend(reading.query.explain());
    if let Some(n) = reading.last {
        lines.push(format!(
            "the newest {} of each partition, looked for backwards in growing windows",
            human::count(n as u64)
        ));
    }
    let mut out = std::io::stdout().lock();
    for line in lines {
        if let Err(error) = writeln!(out, "{}", Visible(&line)) {
            return closed_is_done(&error);
        }
    }
    Ok(Exit::Done)
}
