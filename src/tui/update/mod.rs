//! What a message does to the model. Pure: no clock, no I/O; what is to be done comes back as
//! effects.

mod acts;
mod keys;
pub mod overlays;

use super::connect::{Connected, Connection};
use super::model::feed::Reading;
use super::model::overlay::Overlay;
use super::model::{Model, View};
use super::msg::{Effect, From, Intake, Msg, Now, ReadRequest, Say};
use super::views;
use crate::broker::{Address, Bound};
use crate::query::Query;
use crate::schema::Decoder;

pub use acts::act;

/// Takes a message in.
pub fn update(model: &mut Model, now: Now, msg: Msg) -> Vec<Effect> {
    model.now = now;
    model.dirty = true;
    match msg {
        Msg::Key(key) => {
            let mut effects = keys::key(model, &key);
            // A filter that was changed begins to search at once.
            effects.extend(scans(model));
            effects
        }
        Msg::Paste(text) => {
            let mut effects = overlays::paste(model, &text);
            effects.extend(scans(model));
            effects
        }
        Msg::Resize(width, height) => {
            model.size = (width, height);
            Vec::new()
        }
        Msg::Wheel(rows) => views::step(model, isize::from(rows)),
        Msg::Click { column, row } => views::click(model, column, row),
        Msg::Tick => tick(model),
        Msg::Intake { read, what } => {
            if read == model.source.read {
                intake(model, what);
            }
            scans(model)
        }
        Msg::Scanned { generation, found } => {
            model.feed.scanned(generation, &found);
            views::stream::sought(model);
            scans(model)
        }
        Msg::ScanFailed {
            generation,
            message,
        } => {
            if generation == model.feed.generation {
                model.feed.set_filter(None);
                model.say(Say::bad(format!("the filter was dropped: {message}")));
            }
            Vec::new()
        }
        Msg::Topics { connection, found } => views::topics::found(model, connection, found),
        Msg::Groups { connection, found } => views::lag::found(model, connection, found),
        Msg::Connected(result) => connected(model, result),
        Msg::Probed { name, reachable } => {
            overlays::probed(model, &name, &reachable);
            Vec::new()
        }
        Msg::Said(say) => {
            model.say(say);
            Vec::new()
        }
        Msg::Done(then) => then(model),
        Msg::Stop => views::replay::stop_then_quit(model),
    }
}

fn tick(model: &mut Model) -> Vec<Effect> {
    let over = |(_, until): &(Say, _)| model.now.mono >= *until;
    if model.said.as_ref().is_some_and(over) {
        model.said = None;
    }
    let mut effects = scans(model);
    effects.extend(views::tick(model));
    effects
}

/// Searches that have room to be begun.
fn scans(model: &mut Model) -> Vec<Effect> {
    std::iter::from_fn(|| model.feed.next_scan())
        .map(Effect::Scan)
        .collect()
}

fn intake(model: &mut Model, what: Intake) {
    match what {
        Intake::Batch(batch) => {
            model.source.trouble = None;
            model.feed.batch(&batch, model.now.mono);
            views::stream::sought(model);
        }
        Intake::Progress(progress) => {
            model.feed.progress = progress;
            if model.feed.reading == Reading::Opening {
                model.feed.reading = Reading::Live;
            }
        }
        Intake::Notice(text) => model.say(Say::info(text)),
        Intake::End => {
            model.feed.reading = Reading::Ended;
            views::stream::sought(model);
            views::stream::place_marks(model);
        }
        Intake::Failed(trouble) => {
            model.feed.reading = Reading::Failed(trouble.message.clone());
            model.source.trouble = Some(trouble);
        }
    }
}

fn connected(model: &mut Model, result: Result<Connected, super::msg::Trouble>) -> Vec<Effect> {
    match result {
        Ok(connected) => {
            model.source.connections = connected.connections;
            decode_by(model, connected.decoder);
            model.source.sagas = connected.sagas;
            model.source.topics = None;
            model.source.trouble = None;
            model.overlays.retain(|o| !matches!(o, Overlay::Pick(_)));
            views::forget(model);
            let mut effects = views::topics::ask(model);
            effects.extend(views::stream::load_marks(model));
            effects.extend(clock(model));
            let of = &model.source.connections;
            // A file is opened to be read, and its past is all that it has.
            let is_file =
                |c: &Connection| matches!(c.address, Address::File { .. } | Address::Stdin);
            let whole = of
                .iter()
                .all(|c| c.capabilities().time_ordered || is_file(c));
            model.source.from = From::Bound(match &model.options.from {
                Some(from) => from.clone(),
                None if whole => Bound::Start,
                None => Bound::Last(views::topics::NEWEST),
            });
            let named = of.iter().any(|c| !c.address.topics().is_all());
            if whole || named || model.options.from.is_some() {
                if matches!(model.view, View::Topics | View::Replay) {
                    model.view = View::Stream;
                }
                effects.extend(begin(model));
            } else {
                // Nobody asked for all of a broker's topics at once.
                model.source.read += 1;
                effects.push(Effect::EndRead);
                model.feed.restart();
                model.feed.reading = Reading::Idle;
                model.view = View::Topics;
            }
            effects
        }
        Err(trouble) => {
            model.say(Say::bad(trouble.message.clone()));
            model.source.trouble = Some(trouble);
            Vec::new()
        }
    }
}

/// What is selected and sought is so in what this decoder makes of the events.
fn decode_by(model: &mut Model, decoder: Decoder) {
    model.options.spec.decoder = decoder.clone();
    model.source.decoder = decoder;
    match Query::compile(&model.options.spec) {
        Ok(query) => model.options.select = std::sync::Arc::new(query),
        Err(error) => model.say(Say::bad(error.to_string())),
    }
    if let Some(filter) = model.feed.filter().map(|f| f.text.clone()) {
        overlays::set_filter(model, &filter);
    }
}

/// Asks the first source for its own clock: that of ages.
fn clock(model: &mut Model) -> Option<Effect> {
    model.source.clock_ahead = 0;
    let connection = model.source.connections.first()?.clone();
    let work = async move {
        let told = connection.broker.clock().await;
        Msg::Done(Box::new(move |model: &mut Model| {
            if let Ok(Some(clock)) = told {
                model.source.clock_ahead = clock.0.saturating_sub(model.now.wall.0);
            }
            Vec::new()
        }))
    };
    Some(Effect::Wait(Box::pin(work)))
}

/// Begins the read that the source describes, in the place of the one under way.
pub fn begin(model: &mut Model) -> Vec<Effect> {
    model.source.read += 1;
    model.feed.restart();
    model.stream.cursor = None;
    model.stream.anchor = None;
    model.source.trouble = None;
    let source = &model.source;
    let of_files = source.connections.iter().all(|c| !c.capabilities().follow);
    vec![Effect::Read(ReadRequest {
        read: source.read,
        connections: source.connections.clone(),
        topics: source.topics.clone(),
        partitions: model.options.partitions.clone(),
        from: source.from.clone(),
        until: source.until.clone(),
        follow: source.follow && !of_files,
        select: model.options.select.clone(),
        memory: model.options.memory / 8,
    })]
}
