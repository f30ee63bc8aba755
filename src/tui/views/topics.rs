//! The topics of the sources: what is in them, how fast it grows, which are read. A table that
//! stays quick with ten thousand of them: only the rows on the screen are drawn.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::broker::{Bound, Overview, TopicInfo, TopicSelector};
use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of, middle_of, rest_of};
use crate::tui::model::overlay::Overlay;
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, From, Say, Trouble};
use crate::tui::theme::Role;
use crate::tui::views::list;

/// How often the broker is asked again while the view is on the screen.
const AGAIN: Duration = Duration::from_secs(5);
/// How many of the newest events of each partition are read of a topic that is opened.
pub const NEWEST: u64 = 500;

/// One topic.
#[derive(Debug, Clone)]
pub struct Topic {
    pub connection: usize,
    pub info: TopicInfo,
    /// Partitions of which nobody tells how far they go.
    silent: usize,
    /// Positions that came since the answer before, and how long ago that was.
    grown: Option<(u64, Duration)>,
}

impl Topic {
    /// Events as the broker counts them, or the positions between first and end.
    pub fn events(&self) -> u64 {
        let partitions = self.info.partitions.iter();
        partitions
            .map(|p| {
                p.events
                    .unwrap_or(p.end.major.saturating_sub(p.first.major))
            })
            .sum()
    }

    /// How many there are, after how many of them answer where that is less.
    fn partitions(&self) -> String {
        let told = self.info.partitions.len();
        match self.silent {
            0 => told.to_string(),
            silent => format!("{told}/{}", told + silent),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    fn rate(&self) -> Option<f64> {
        let (grown, time) = self.grown?;
        Some(grown as f64 / time.as_secs_f64().max(0.001))
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sort {
    #[default]
    Name,
    Events,
    Rate,
}

#[derive(Default)]
pub struct State {
    topics: Vec<Topic>,
    pub trouble: Option<Trouble>,
    at: usize,
    sort: Sort,
    /// (connection, name) of those that were chosen for the stream.
    chosen: BTreeSet<(usize, Arc<str>)>,
    /// When each connection answered last.
    answered: Vec<(usize, Duration)>,
    /// How many answers are waited for, since when.
    asked: Option<Duration>,
}

/// Asks every source for its topics.
pub fn ask(model: &mut Model) -> Vec<Effect> {
    model.topics.asked = Some(model.now.mono);
    let connections = model.source.connections.iter().enumerate();
    connections
        .map(|(index, c)| Effect::Topics(index, c.clone()))
        .collect()
}

pub fn tick(model: &mut Model) -> Vec<Effect> {
    let old = |asked: Duration| model.now.mono.saturating_sub(asked) >= AGAIN;
    if model.topics.asked.is_none_or(old) {
        return ask(model);
    }
    Vec::new()
}

pub fn found(
    model: &mut Model,
    connection: usize,
    found: Result<Overview, Trouble>,
) -> Vec<Effect> {
    let now = model.now.mono;
    let state = &mut model.topics;
    let mut found = match found {
        Ok(found) => found,
        Err(trouble) => {
            state.trouble = Some(trouble);
            return Vec::new();
        }
    };
    state.trouble = None;
    let before = state
        .answered
        .iter()
        .find(|(c, _)| *c == connection)
        .map(|(_, at)| *at);
    state.answered.retain(|(c, _)| *c != connection);
    state.answered.push((connection, now));
    let selected = state
        .topics
        .get(state.at)
        .map(|t| (t.connection, t.info.name.clone()));
    let ends: std::collections::HashMap<Arc<str>, u64> = state
        .topics
        .iter()
        .filter(|t| t.connection == connection && t.silent == 0)
        .map(|t| (t.info.name.clone(), end_of(&t.info)))
        .collect();
    state.topics.retain(|t| t.connection != connection);
    let infos = std::mem::take(&mut found.topics);
    state.topics.extend(infos.into_iter().map(|info| {
        let silent = found.silent(&info.name).len();
        // What a partition holds that was not counted before did not come meanwhile.
        let grown = before.filter(|_| silent == 0).and_then(|at| {
            let end = ends.get(&info.name)?;
            Some((end_of(&info).saturating_sub(*end), now.saturating_sub(at)))
        });
        Topic {
            connection,
            info,
            silent,
            grown,
        }
    }));
    sort(state);
    if let Some((c, name)) = selected {
        let same = |t: &Topic| t.connection == c && t.info.name == name;
        state.at = state.topics.iter().position(same).unwrap_or(0);
    }
    Vec::new()
}

fn end_of(info: &TopicInfo) -> u64 {
    info.partitions.iter().map(|p| p.end.major).sum()
}

fn sort(state: &mut State) {
    let by_name = |a: &Topic, b: &Topic| {
        (a.info.internal, &a.info.name, a.connection).cmp(&(
            b.info.internal,
            &b.info.name,
            b.connection,
        ))
    };
    match state.sort {
        Sort::Name => state.topics.sort_by(by_name),
        Sort::Events => {
            let key = |t: &Topic| std::cmp::Reverse(t.events());
            state.topics.sort_by_cached_key(key);
        }
        Sort::Rate => {
            let rate = |t: &Topic| t.rate().unwrap_or(0.0);
            state
                .topics
                .sort_by(|a, b| rate(b).total_cmp(&rate(a)).then_with(|| by_name(a, b)));
        }
    }
}

/// The words of the filter bar narrow the topics, too.
fn left(model: &Model) -> Vec<&Topic> {
    let typed = model.overlays.iter().find_map(|o| match o {
        Overlay::Pick(_) | Overlay::Prompt(_) | Overlay::Help(_) | Overlay::Question(_) => None,
        Overlay::Filter(bar) => Some(bar.input.text()),
    });
    let typed = typed.unwrap_or_default();
    model
        .topics
        .topics
        .iter()
        .filter(|t| typed.is_empty() || t.info.name.contains(typed))
        .collect()
}

pub fn step(model: &mut Model, by: isize) {
    let last = model.topics.topics.len().saturating_sub(1);
    model.topics.at = model.topics.at.saturating_add_signed(by).min(last);
}

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Open => Some(open(model)),
        Action::TopicSelect => {
            let topic = model.topics.topics.get(model.topics.at)?;
            let name = (topic.connection, topic.info.name.clone());
            if !model.topics.chosen.remove(&name) {
                model.topics.chosen.insert(name);
            }
            step(model, 1);
            Some(Vec::new())
        }
        Action::TopicSort => {
            let (sort_by, word) = match model.topics.sort {
                Sort::Name => (Sort::Events, "events"),
                Sort::Events => (Sort::Rate, "rate"),
                Sort::Rate => (Sort::Name, "name"),
            };
            model.topics.sort = sort_by;
            sort(&mut model.topics);
            model.say(Say::info(format!("ordered by {word}")));
            Some(Vec::new())
        }
        _ => None,
    }
}

/// Reads the chosen topics, or the one under the cursor, into the stream.
fn open(model: &mut Model) -> Vec<Effect> {
    let state = &mut model.topics;
    let mut chosen = std::mem::take(&mut state.chosen);
    if chosen.is_empty() {
        let Some(topic) = state.topics.get(state.at) else {
            return Vec::new();
        };
        chosen.insert((topic.connection, topic.info.name.clone()));
    }
    let connections = model.source.connections.len();
    let selectors = (0..connections).map(|index| {
        let names = chosen.iter().filter(|(c, _)| *c == index);
        let names: Vec<&str> = names.map(|(_, name)| &**name).collect();
        // A name of a topic holds no comma, so the list reads back.
        TopicSelector::parse(&names.join(","))
            .ok()
            .filter(|_| !names.is_empty())
    });
    model.source.topics = Some(selectors.collect());
    let history = model
        .source
        .connections
        .iter()
        .all(|c| c.capabilities().time_ordered);
    model.source.from = From::Bound(if history {
        Bound::Start
    } else {
        Bound::Last(NEWEST)
    });
    model.stream.follow = true;
    model.stream.seek = None;
    let mut effects = model.go(View::Stream);
    effects.extend(crate::tui::update::begin(model));
    effects
}

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let state = &model.topics;
    let topics = left(model);
    if topics.is_empty() {
        let text = match (&state.trouble, state.answered.is_empty()) {
            (Some(trouble), _) => trouble.message.clone(),
            (None, true) => "Asking for the topics".to_owned(),
            (None, false) => "There are no topics.".to_owned(),
        };
        canvas.put(
            middle_of(area, area.width.saturating_sub(4), 1),
            &text,
            Role::Text,
        );
        return;
    }
    let wide = area.width >= 70;
    let name_width = area.width.saturating_sub(if wide { 46 } else { 26 });
    let head = line_of(area, 0);
    canvas.put(rest_of(head, 2), "topic", Role::Title);
    figures(
        canvas,
        head,
        wide,
        ["partitions", "events", "new/s", "broker"].map(str::to_owned),
        Role::Title,
    );
    for (row, place) in list::on_screen(below(area, 1), state.at, topics.len()) {
        let topic = &topics[row];
        let chosen = state
            .chosen
            .contains(&(topic.connection, topic.info.name.clone()));
        if chosen {
            canvas.put(rest_of(place, 0), model.options.glyphs.valid, Role::Good);
        }
        let role = if topic.info.internal {
            Role::Dim
        } else {
            Role::Topic
        };
        let name = Rect {
            width: name_width,
            ..rest_of(place, 2)
        };
        canvas.put(name, &topic.info.name, role);
        let rate = topic.rate().map_or_else(String::new, human::rate);
        let broker = model.source.connections.get(topic.connection);
        let figures_of = [
            topic.partitions(),
            human::count(topic.events()),
            rate,
            broker.map_or_else(String::new, |c| c.capabilities().adapter.to_owned()),
        ];
        figures(canvas, place, wide, figures_of, Role::Text);
        if row == state.at {
            canvas.paint(place, Role::Cursor);
        }
    }
}

fn figures(canvas: &mut Canvas<'_>, line: Rect, wide: bool, texts: [String; 4], role: Role) {
    let [partitions, events, rate, broker] = texts;
    let text = if wide {
        format!("{partitions:>10}  {events:>14}  {rate:>8}  {broker:<8}")
    } else {
        format!("{partitions:>4}  {events:>14}")
    };
    canvas.parts_right(line, &[(role, &text)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{PartitionInfo, Silent};
    use crate::event::{Position, PositionStyle};
    use crate::tui::views::bench;

    fn answer(ends: &[u64], silent: &[u32]) -> Overview {
        let partitions = ends.iter().zip(0..).map(|(&end, partition)| PartitionInfo {
            partition,
            first: Position::ZERO,
            end: Position::offset(end),
            events: None,
        });
        let partitions = partitions.filter(|p| !silent.contains(&p.partition));
        let info = TopicInfo {
            name: "orders".into(),
            internal: false,
            style: PositionStyle::Offset,
            partitions: partitions.collect(),
        };
        let mut found = Overview::from(vec![info]);
        let why = |&partition: &u32| Silent {
            partition,
            why: "no broker leads it".to_owned(),
        };
        let silent = silent.iter().map(why).collect();
        found.silent.insert("orders".into(), silent);
        found
    }

    #[test]
    fn a_partition_that_does_not_answer_is_counted_and_makes_no_rate() {
        let mut model = bench::model(View::Topics);
        let mut seen = |seconds, found| {
            model.now.mono = Duration::from_secs(seconds);
            super::found(&mut model, 0, Ok(found));
            let topic = &model.topics.topics[0];
            (topic.partitions(), topic.rate())
        };
        assert_eq!(seen(0, answer(&[10, 10], &[])), ("2".to_owned(), None));
        let rate = seen(1, answer(&[10, 15], &[]));
        assert_eq!(rate, ("2".to_owned(), Some(5.0)));
        assert_eq!(seen(2, answer(&[10, 20], &[1])), ("1/2".to_owned(), None));
        assert_eq!(seen(3, answer(&[10, 25], &[])), ("2".to_owned(), None));
        let rate = seen(4, answer(&[10, 30], &[]));
        assert_eq!(rate, ("2".to_owned(), Some(5.0)));
    }
}
