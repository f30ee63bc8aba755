//! A preview in words: what would be written, how it is spread, and examples.

use super::{partition_lines, skip_lines};
use crate::replay::{Preview, Sample};
use crate::text::{Visible, human};

/// Characters of a sample's key and value.
const SAMPLE_CHARS: usize = 60;
/// Bars of the histogram.
const BARS: usize = 24;

impl Preview {
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "preview: {} of {} events match, {} would be written ({})",
            human::count(self.matched),
            human::count(self.scanned),
            human::count(self.sent()),
            human::size(self.tally.bytes())
        )];
        lines.extend(skip_lines(&self.tally));
        lines.extend(self.mask_lines());
        lines.extend(partition_lines(&self.tally));
        if let (Some(earliest), Some(latest)) = (self.earliest, self.latest) {
            lines.push(format!("  time    {earliest} to {latest}"));
            lines.extend(self.bars());
        }
        lines.extend(self.first.iter().map(|s| format!("  first   {s}")));
        // A short selection has the same events at both ends.
        let last = self.last.iter().filter(|s| !self.first.contains(s));
        lines.extend(last.map(|s| format!("  last    {s}")));
        if let Some(expected) = self.expected {
            lines.push(format!("  takes   {}", human::duration(expected)));
        }
        lines
    }

    /// What each mask met. One that met nothing is likely to be a slip.
    fn mask_lines(&self) -> impl Iterator<Item = String> + '_ {
        self.masks.iter().map(|(mask, values)| match values {
            0 => format!(
                "  mask    {} matches NOTHING in these events",
                Visible(mask)
            ),
            1 => format!("  mask    {}: 1 value", Visible(mask)),
            n => format!("  mask    {}: {} values", Visible(mask), human::count(*n)),
        })
    }

    /// The histogram, in as many bars as fit.
    fn bars(&self) -> Vec<String> {
        let buckets = self.times.buckets();
        let per_bar = buckets.len().div_ceil(BARS).max(1);
        let bars: Vec<_> = buckets
            .chunks(per_bar)
            .filter_map(|c| Some((c.first()?.0, c.iter().map(|(_, n)| n).sum::<u64>())))
            .collect();
        if bars.len() < 2 {
            return Vec::new();
        }
        let most = bars.iter().map(|(_, n)| *n).max().unwrap_or(1).max(1);
        bars.into_iter()
            .map(|(start, count)| {
                let width = (u128::from(count) * 30).div_ceil(u128::from(most));
                let bar = "#".repeat(usize::try_from(width).unwrap_or_default());
                format!("          {start} {bar} {}", human::count(count))
            })
            .collect()
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &Option<Vec<u8>>| match bytes {
            None => "null".to_owned(),
            Some(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                let cut: String = text.chars().take(SAMPLE_CHARS).collect();
                let mark = if cut.len() < text.len() { "…" } else { "" };
                format!("{}{mark}", Visible(&cut))
            }
        };
        write!(f, "{}", Visible(&self.at))?;
        if let Some(time) = self.time {
            write!(f, " {time}")?;
        }
        write!(f, " {} {}", text(&self.key), text(&self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Scanned;
    use crate::pipeline::Consumer;
    use crate::replay::PreviewRun;
    use crate::replay::fake::{batch, event, plan, streams};

    #[tokio::test]
    async fn no_control_character_of_an_event_reaches_a_preview() {
        let mut hostile = event(0, 1);
        hostile.key = Some(b"\x1b]0;pwned\x07");
        hostile.value = Some("\u{202e}\r\u{9b}2J\u{200b}\n".as_bytes());
        let mut run = PreviewRun::new(&plan());
        run.batch(batch(&streams(), &[hostile])).await.unwrap();
        let lines = run.finish(Scanned::default()).describe();
        assert!(lines.iter().any(|l| l.contains("pwned")), "{lines:?}");
        for line in &lines {
            assert!(!line.contains(crate::text::is_hostile), "{line:?}");
        }
    }

    #[tokio::test]
    async fn many_minutes_become_a_few_bars() {
        let mut run = PreviewRun::new(&plan());
        let events: Vec<_> = (0..200)
            .map(|i| {
                let mut event = event(0, i);
                event.time = Some(i.cast_signed() * 60_000);
                event
            })
            .collect();
        run.batch(batch(&streams(), &events)).await.unwrap();
        let bars = run.finish(Scanned::default()).bars();
        assert!(bars.len() > 1 && bars.len() <= BARS, "{}", bars.len());
    }
}
