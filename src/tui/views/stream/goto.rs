//! Going to a time, an age or an event: in the buffer where it reaches, else by another read.

use std::sync::Arc;

use crate::broker::Bound;
use crate::event::{Position, PositionStyle, Timestamp};
use crate::tui::model::Model;
use crate::tui::model::stream::{Place, Seek};
use crate::tui::msg::{Effect, From};

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Start,
    End,
    Time(Timestamp),
    Event(Place),
}

const FORMS: &str = "write 2024-08-15T10:30:00Z, 10:30:05, -15m, orders/0@15, start or end";

fn parse(model: &Model, text: &str) -> Result<Target, String> {
    match text {
        "start" => return Ok(Target::Start),
        "end" => return Ok(Target::End),
        _ => {}
    }
    if let Some((path, position)) = text.rsplit_once('@') {
        let (topic, partition) = path.rsplit_once('/').ok_or(FORMS)?;
        let partition = partition.parse().map_err(|_| FORMS.to_owned())?;
        let position = Position::parse(position, PositionStyle::Offset)
            .or_else(|| Position::parse(position, PositionStyle::Entry))
            .ok_or(FORMS)?;
        return Ok(Target::Event(Place {
            topic: Arc::from(topic),
            partition,
            position,
        }));
    }
    if let Some(age) = text.strip_prefix('-') {
        let age = crate::text::human::parse_duration(age).map_err(|_| FORMS.to_owned())?;
        let millis = i64::try_from(age.as_millis()).map_err(|_| FORMS.to_owned())?;
        return Ok(Target::Time(Timestamp(
            model.clock().0.saturating_sub(millis),
        )));
    }
    model
        .parse_time(text)
        .map(Target::Time)
        .ok_or_else(|| FORMS.to_owned())
}

pub fn go_to(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    let target = parse(model, text)?;
    let mut effects = model.go(crate::tui::model::View::Stream);
    model.stream.only_marked = false;
    effects.extend(match target {
        Target::Start => read_from(model, Bound::Start, false),
        Target::End => {
            model.feed.thaw();
            model.stream.follow = true;
            Vec::new()
        }
        Target::Event(place) => super::acts::show_event(model, place),
        Target::Time(time) => to_time(model, time),
    });
    Ok(effects)
}

fn to_time(model: &mut Model, time: Timestamp) -> Vec<Effect> {
    let shown = &model.feed.shown;
    let oldest = shown.get(0).map(|r| r.time);
    let newest = shown.last().map(|r| r.time);
    let held = oldest.is_some_and(|t| t <= time.0) && newest.is_some_and(|t| time.0 <= t);
    if held {
        let at = shown.at_time(time.0);
        model.stream.follow = false;
        model.stream.put(&model.feed, at);
        return Vec::new();
    }
    model.stream.seek = Some(Seek::Time(time.0));
    read_from(model, Bound::Time(time), false)
}

fn read_from(model: &mut Model, from: Bound, follow: bool) -> Vec<Effect> {
    model.stream.follow = follow;
    if from == Bound::Start {
        model.stream.seek = Some(Seek::Time(i64::MIN));
    }
    model.source.from = From::Bound(from);
    crate::tui::update::begin(model)
}

/// Moves the cursor by one bucket of the histogram.
pub(super) fn bucket(model: &mut Model, by: i64) -> Option<Vec<Effect>> {
    let cursor = model.stream.cursor?;
    let (first, width) = super::draw::buckets(model, model.size.0)?;
    let now = (cursor.time - first) / width;
    let time = first.saturating_add((now + by).max(0).saturating_mul(width));
    let last = model.stream.len(&model.feed).checked_sub(1)?;
    let at = model.feed.shown.at_time(time).min(last);
    model.stream.follow = false;
    model.stream.put(&model.feed, at);
    Some(Vec::new())
}

impl Model {
    /// A time as people write it; a time of day means that of the clock's day.
    pub fn parse_time(&self, text: &str) -> Option<Timestamp> {
        if let Ok(millis) = text.parse::<i64>() {
            return Some(Timestamp(millis));
        }
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(Timestamp(time.as_millisecond()));
        }
        let zone = self.typed_zone();
        if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
            let zoned = time.to_zoned(zone).ok()?;
            return Some(Timestamp(zoned.timestamp().as_millisecond()));
        }
        let time: jiff::civil::Time = text.parse().ok()?;
        let today = jiff::Timestamp::from_millisecond(self.clock().0).ok()?;
        let day = today.to_zoned(zone.clone()).date();
        let zoned = day.to_datetime(time).to_zoned(zone).ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    }
}
