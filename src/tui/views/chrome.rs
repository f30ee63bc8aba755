//! What is around every view: the tabs, the source, the banner of production, the status strip and
//! the line of keys or news.

use ratatui::layout::Rect;

use crate::text::human;
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, line_of, rest_of};
use crate::tui::model::feed::Reading;
use crate::tui::model::{Model, View, ZoneMode};
use crate::tui::msg::Tone;
use crate::tui::theme::Role;

/// The part of the screen that is the view's.
pub fn content(screen: Rect) -> Rect {
    Rect {
        y: screen.y + screen.height.min(1),
        height: screen.height.saturating_sub(3),
        ..screen
    }
}

/// A tab: where it begins, and its text. Names are whole, short or left out, as far as there is
/// room beside the source's name.
fn tabs(model: &Model, width: u16) -> Vec<(View, u16, String)> {
    let banner = model.production().map_or(0, |env| env.len() + 3);
    let room = usize::from(width).saturating_sub(source_name(model).chars().count() + 1 + banner);
    let fits = |name: fn(View) -> &'static str| {
        let wide: usize = View::ALL.iter().map(|v| name(*v).len() + 3).sum();
        wide <= room
    };
    let name: fn(View) -> &'static str = if fits(View::name) {
        View::name
    } else if fits(View::short) {
        View::short
    } else {
        |_| ""
    };
    let mut x = 0;
    let mut tabs = Vec::with_capacity(View::ALL.len());
    for (index, view) in View::ALL.iter().enumerate() {
        let name = match name(*view) {
            "" if *view == model.view => view.name(),
            name => name,
        };
        let gap = if name.is_empty() { "" } else { " " };
        let text = format!(" {}{gap}{name} ", index + 1);
        let wide = text.len() as u16;
        tabs.push((*view, x, text));
        x += wide;
    }
    // Names stand close: one blank between two.
    if !name(View::Stream).is_empty() {
        for (index, tab) in tabs.iter_mut().enumerate() {
            tab.1 -= index as u16;
        }
    }
    tabs
}

pub fn tab_at(model: &Model, column: u16) -> Option<View> {
    let tabs = tabs(model, model.size.0);
    let hit = |(_, x, text): &&(View, u16, String)| (*x..*x + text.len() as u16).contains(&column);
    tabs.iter().find(hit).map(|(view, ..)| *view)
}

pub fn draw(model: &Model, canvas: &mut Canvas<'_>) {
    let screen = canvas.area();
    if screen.height < 3 {
        return;
    }
    title(model, canvas, line_of(screen, 0));
    let strip = line_of(screen, usize::from(screen.height) - 2);
    status(model, canvas, strip);
    bottom(
        model,
        canvas,
        line_of(screen, usize::from(screen.height) - 1),
    );
}

fn title(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.paint(area, Role::Bar);
    let mut used = 0;
    for (view, x, text) in tabs(model, area.width) {
        let role = if view == model.view {
            Role::Accent
        } else {
            Role::Bar
        };
        used = x + canvas.put(rest_of(area, x), &text, role);
    }
    let rest = rest_of(area, used);
    if let Some(env) = model.production() {
        let banner = format!(" {} ", env.to_uppercase());
        let name = source_name(model);
        if canvas.parts_right(
            rest,
            &[(Role::Bar, &name), (Role::Bar, " "), (Role::Prod, &banner)],
        ) == 0
        {
            canvas.parts_right(rest, &[(Role::Prod, &banner)]);
        }
    } else {
        let name = format!("{} ", source_name(model));
        if canvas.parts_right(rest, &[(Role::Bar, &name)]) == 0 && rest.width > 8 {
            canvas.put(rest_of(rest, 1), &name, Role::Bar);
        }
    }
}

/// The sources in a few words.
pub fn source_name(model: &Model) -> String {
    let names: Vec<&str> = model.source.connections.iter().map(|c| &*c.shown).collect();
    let locked = model
        .source
        .connections
        .iter()
        .any(|c| c.settings.read_only);
    let lock = if locked {
        format!("{} ", model.options.glyphs.lock)
    } else {
        String::new()
    };
    match names.as_slice() {
        [] => "not connected".to_owned(),
        [one] => format!("{lock}{one}"),
        [one, rest @ ..] => format!("{lock}{one} +{}", rest.len()),
    }
}

/// The state of the stream in a word, always with a sign.
fn state(model: &Model) -> (Role, String) {
    let glyphs = model.options.glyphs;
    if model.feed.frozen {
        let held = human::count(model.feed.held() as u64);
        return (Role::Warn, format!("{} FROZEN +{held}", glyphs.frozen));
    }
    match &model.feed.reading {
        Reading::Idle => (Role::Dim, "IDLE".to_owned()),
        Reading::Opening => (Role::BarStrong, "CONNECTING".to_owned()),
        Reading::Failed(_) => (Role::Bad, format!("{} FAILED", glyphs.invalid)),
        Reading::Ended => (Role::BarStrong, "END".to_owned()),
        Reading::Live => match model.feed.progress {
            Some((done, all)) if all > 0 && done < all => {
                let percent = done.saturating_mul(100) / all;
                (Role::BarStrong, format!("READING {percent} %"))
            }
            _ if model.stream.follow => (Role::Good, format!("{} LIVE", glyphs.live)),
            _ => (
                Role::BarStrong,
                format!("{} LIVE, not following", glyphs.live),
            ),
        },
    }
}

/// What the filter in force found, and how much of the buffer it has looked at; `None` without one.
pub fn matches(model: &Model) -> Option<String> {
    let feed = &model.feed;
    feed.filter()?;
    let shown = human::count(feed.shown.len() as u64);
    let held = human::count(feed.store.events());
    let (looked, left) = (feed.searched, feed.unsearched());
    // What came in the last moment is being looked at all the time.
    let searching = left > 0 && (feed.shown.is_empty() || left > 1000.max(looked / 50));
    Some(if searching {
        let percent = looked.saturating_mul(100) / (looked + left).max(1);
        format!("searching {percent} %: {shown} so far")
    } else if feed.shown.is_empty() {
        format!("no match in {held}")
    } else {
        format!("{shown} of {held} match")
    })
}

/// The strip that always says what is going on: nothing is dropped without being counted here.
fn status(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    canvas.paint(area, Role::Bar);
    let feed = &model.feed;
    let (role, word) = state(model);
    let mut used = canvas.parts(area, &[(Role::Bar, " "), (role, &word), (Role::Bar, "  ")]);
    let rate = feed.rate(model.now.mono);
    let mut facts = vec![format!("{}/s", human::rate(rate))];
    if let Some(found) = matches(model) {
        facts.push(found);
        if feed.failed > 0 {
            facts.push(format!("{} failed", human::count(feed.failed)));
        }
    } else {
        // Without a filter all that is held is shown, but what came while the view was frozen.
        let shown = feed.store.events().saturating_sub(feed.held() as u64);
        facts.push(format!("{} shown", human::count(shown)));
    }
    let stream = &model.stream;
    if stream.only_marked {
        let marked = human::count(stream.marks.len() as u64);
        facts.push(format!("only the {marked} marked"));
    }
    if stream.anchor.is_some()
        && let Some((first, last)) = stream.range(feed)
    {
        let rows = human::count((last - first + 1) as u64);
        facts.push(format!("{rows} selected"));
    }
    let scanned = feed.scanned.events;
    if scanned != feed.store.events() + feed.store.evicted {
        facts.push(format!("scanned {}", human::count(scanned)));
    }
    facts.push(format!(
        "{} of {}",
        human::size(feed.store.bytes() as u64),
        human::size(feed.store.limit() as u64)
    ));
    if feed.store.evicted > 0 {
        let until = feed.store.evicted_until;
        // The date is the first to go where there is little room.
        let width = if area.width < 110 { 12 } else { 23 };
        let text = |t| format!(" up to {}", model.time_in(t, width));
        let until = until.map_or_else(String::new, text);
        facts.push(format!(
            "evicted {}{until}",
            human::count(feed.store.evicted)
        ));
    }
    if model.source.registry.is_some() {
        let text = format!("{} schema registry fails", model.options.glyphs.invalid);
        used += canvas.put(rest_of(area, used), &text, Role::Bad);
        used += canvas.put(rest_of(area, used), "  ", Role::Bar);
    }
    let separator = format!(" {} ", model.options.glyphs.separator);
    for (index, fact) in facts.iter().enumerate() {
        let lead = if index == 0 { "" } else { &separator };
        used += canvas.parts(rest_of(area, used), &[(Role::Bar, lead), (Role::Bar, fact)]);
    }
    let zone = match model.zone {
        ZoneMode::Utc => "UTC",
        ZoneMode::Local => "local",
        ZoneMode::Age => "age",
        ZoneMode::Epoch => "epoch",
    };
    canvas.parts_right(
        rest_of(area, used + 1),
        &[(Role::Dim, zone), (Role::Bar, " ")],
    );
}

/// News, else what was begun with a first key, else the keys that matter here.
fn bottom(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    if let Some(prefix) = model.prefix {
        let mut used = canvas.parts(area, &[(Role::Key, " "), (Role::Key, &prefix.to_string())]);
        for (chord, action) in model.options.keymap.after(prefix, &model.scopes()) {
            let (key, help) = (format!("  {chord} "), action.spec().help.to_lowercase());
            used += canvas.parts(
                rest_of(area, used),
                &[(Role::Key, &key), (Role::Dim, &help)],
            );
        }
        return;
    }
    if let Some((say, _)) = &model.said {
        let (role, sign) = match say.tone {
            Tone::Info => (Role::Info, " "),
            Tone::Good => (Role::Good, model.options.glyphs.valid),
            Tone::Bad => (Role::Bad, model.options.glyphs.invalid),
        };
        canvas.parts(area, &[(role, sign), (role, " "), (role, &say.text)]);
        return;
    }
    if let Some(trouble) = &model.source.trouble {
        let hint = trouble.hint.as_deref().unwrap_or("f5 tries again");
        let sign = model.options.glyphs.invalid;
        canvas.parts(
            area,
            &[
                (Role::Bad, sign),
                (Role::Bad, " "),
                (Role::Bad, &trouble.message),
                (Role::Dim, "  "),
                (Role::Dim, hint),
            ],
        );
        return;
    }
    let keymap = &model.options.keymap;
    let mut used = 1;
    for (action, word) in hints(model) {
        let key = keymap.hint(*action);
        let parts = [
            (Role::Key, key.as_str()),
            (Role::Dim, " "),
            (Role::Dim, word),
            (Role::Dim, "  "),
        ];
        used += canvas.parts(rest_of(area, used), &parts);
    }
    if let Some(welcome) = &model.options.welcome
        && model.source.connections.iter().all(|c| c.is_demo())
    {
        canvas.parts_right(
            rest_of(area, used),
            &[(Role::Info, welcome), (Role::Info, " ")],
        );
    }
}

fn hints(model: &Model) -> &'static [(Action, &'static str)] {
    match model.view {
        View::Stream if model.stream.focus == crate::tui::model::stream::Focus::Detail => &[
            (Action::Help, "help"),
            (Action::NextPane, "next tab"),
            (Action::NextEvent, "next event"),
            (Action::Pin, "column"),
            (Action::Include, "only this"),
            (Action::Exclude, "not this"),
            (Action::Back, "back"),
        ],
        View::Stream => &[
            (Action::Help, "help"),
            (Action::Filter, "filter"),
            (Action::Open, "detail"),
            (Action::Freeze, "freeze"),
            (Action::GoTo, "go to"),
            (Action::Mark, "mark"),
            (Action::Replay, "replay"),
            (Action::Palette, "all"),
            (Action::Quit, "quit"),
        ],
        View::Topics => &[
            (Action::Help, "help"),
            (Action::Open, "read it"),
            (Action::TopicSelect, "choose several"),
            (Action::Filter, "filter"),
            (Action::Quit, "quit"),
        ],
        View::Replay if model.replay.lists_runs() => model.replay.hints_of_runs(),
        View::Replay => &[
            (Action::Help, "help"),
            (Action::Run, "run"),
            (Action::PauseRun, "pause"),
            (Action::Abort, "stop"),
            (Action::SavePlan, "write plan"),
            (Action::Runs, "past runs"),
            (Action::Quit, "quit"),
        ],
        View::Lag => &[
            (Action::Help, "help"),
            (Action::Open, "partitions"),
            (Action::LagEvent, "stuck on"),
            (Action::NextMatch, "next in trouble"),
            (Action::Palette, "all"),
            (Action::Quit, "quit"),
        ],
        View::Order => &[
            (Action::Help, "help"),
            (Action::Open, "event"),
            (Action::NextMatch, "next"),
            (Action::PreviousMatch, "previous"),
            (Action::OrderBy, "by key"),
            (Action::NextPane, "list"),
            (Action::Quit, "quit"),
        ],
        View::Schemas if model.schemas.versions.is_some() => &[
            (Action::Help, "help"),
            (Action::NextPane, "other side"),
            (Action::EarlierVersion, "earlier"),
            (Action::LaterVersion, "later"),
            (Action::NextMatch, "next difference"),
            (Action::Back, "close"),
        ],
        View::Schemas => &[
            (Action::Help, "help"),
            (Action::Open, "evidence"),
            (Action::NextMatch, "next"),
            (Action::Versions, "versions"),
            (Action::Palette, "all"),
            (Action::Back, "back"),
            (Action::Quit, "quit"),
        ],
        _ => &[
            (Action::Help, "help"),
            (Action::Open, "evidence"),
            (Action::NextMatch, "next"),
            (Action::Palette, "all"),
            (Action::Back, "back"),
            (Action::Quit, "quit"),
        ],
    }
}
