//! Points in the life of a key, as they are typed: `--at POINT`, `--diff A B`.

use std::time::Duration;

use crate::cli::position::Pos;
use crate::event::{Position, Timestamp};
use crate::inspect::state::History;

/// A point in the life of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Point {
    /// Before its first event.
    Start,
    /// After its last one.
    End,
    /// After the event at this place, or the last one before it.
    Place(Option<(String, u32)>, Position),
    /// So many events before the last one.
    Back(u64),
    Time(Timestamp),
    /// This long before now.
    Age(Duration),
    /// After the event of this version.
    Version(u64),
}

/// The number of a step, or `None` for the state before the first one.
pub type StepNumber = Option<usize>;

impl Point {
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(version) = text.strip_prefix('v').and_then(|v| v.parse().ok()) {
            return Ok(Self::Version(version));
        }
        if let Some((partition, position)) = text.rsplit_once('@') {
            let place = partition.rsplit_once('/').and_then(|(topic, number)| {
                let number = number.parse().ok()?;
                (!topic.is_empty()).then(|| (topic.to_owned(), number))
            });
            let Some(place) = place else {
                return Err(format!(
                    "'{text}' is no place; write TOPIC/PARTITION@OFFSET"
                ));
            };
            return match Pos::parse(position) {
                Ok(Pos::At(position)) => Ok(Self::Place(Some(place), position)),
                _ => Err(format!("'{position}' is no offset")),
            };
        }
        match Pos::parse(text) {
            Ok(Pos::Start) => Ok(Self::Start),
            Ok(Pos::End) => Ok(Self::End),
            Ok(Pos::At(position)) => Ok(Self::Place(None, position)),
            Ok(Pos::Last(back)) => Ok(Self::Back(back)),
            Ok(Pos::Time(time)) => Ok(Self::Time(time)),
            Ok(Pos::Age(age)) => Ok(Self::Age(age)),
            Ok(Pos::Group(_)) | Err(_) => Err(format!(
                "'{text}' is no point; write start, end, an offset (1500), TOPIC/PARTITION@OFFSET, \
                 a version (v3), so many events back (-2), a time ({EXAMPLE}) or an age (-15m)"
            )),
        }
    }

    /// The step that it names; the error says why it names none.
    pub fn step(&self, history: &History, now: Timestamp) -> Result<StepNumber, String> {
        let steps = history.steps();
        let last = steps.len().checked_sub(1);
        // What was folded away cannot be told apart from the first step that is kept.
        let known = |step: StepNumber| match step {
            None if history.folded() > 0 => Err(format!(
                "it lies before the last {} events of the key, which alone can be gone back to; \
                 --mem allows more",
                steps.len()
            )),
            step => Ok(step),
        };
        match self {
            Self::Start => known(None),
            Self::End => Ok(last),
            Self::Back(back) => {
                let back = usize::try_from(*back).unwrap_or(usize::MAX);
                known(last.and_then(|last| last.checked_sub(back)))
            }
            Self::Place(place, position) => {
                let partitions = steps.iter().map(|s| s.at.partition);
                let one = partitions.clone().min() == partitions.max();
                if place.is_none() && !one {
                    return Err(
                        "the key is in several partitions; write TOPIC/PARTITION@OFFSET".to_owned(),
                    );
                }
                if let Some((topic, _)) = place
                    && *topic != history.topic()
                {
                    return Err(format!(
                        "it is a place in another topic than {}",
                        history.topic()
                    ));
                }
                let own = |partition| place.as_ref().is_none_or(|(_, own)| *own == partition);
                known(
                    steps
                        .iter()
                        .rposition(|s| own(s.at.partition) && s.at.position <= *position),
                )
            }
            Self::Time(time) => known(history.step_at_time(*time)),
            Self::Age(age) => {
                let ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                known(history.step_at_time(Timestamp(now.0.saturating_sub(ms))))
            }
            Self::Version(version) => match history.step_of_version(*version) {
                Some(step) => Ok(Some(step)),
                None => Err(format!("no event of the key has the version {version}")),
            },
        }
    }
}

const EXAMPLE: &str = "2024-08-15T10:30:00Z";

/// Whether a point needs to know what time it is.
pub fn wants_clock<'a>(points: impl IntoIterator<Item = &'a Point>) -> bool {
    points
        .into_iter()
        .any(|point| matches!(point, Point::Age(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::position;

    #[test]
    fn every_form_is_read() {
        let place = Some(("order-events".to_owned(), 0));
        let time = position::time(EXAMPLE).unwrap();
        for (text, point) in [
            ("start", Point::Start),
            ("end", Point::End),
            ("69", Point::Place(None, Position::offset(69))),
            (
                "order-events/0@69",
                Point::Place(place, Position::offset(69)),
            ),
            ("v3", Point::Version(3)),
            ("-2", Point::Back(2)),
            (EXAMPLE, Point::Time(time)),
            ("-15m", Point::Age(Duration::from_mins(15))),
        ] {
            assert_eq!(Point::parse(text), Ok(point), "{text}");
        }
        for bad in [
            "",
            "v",
            "stored:g",
            "orders@5",
            "/0@5",
            "a/x@5",
            "a/0@v2",
            "yesterday",
        ] {
            assert!(Point::parse(bad).is_err(), "{bad}");
        }
    }
}
