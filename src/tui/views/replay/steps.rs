//! The steps of a replay as effects: plan and preview, ask, run, verify.

use std::sync::Arc;

use super::{Selection, Stage};
use crate::broker::{self, Address, Broker, Range, Subscription};
use crate::event::Timestamp;
use crate::pipeline::{Input as Source, Limits, Reading, Stop, Unwatched};
use crate::query::{Query, QuerySpec};
use crate::replay::alter::{Alterations, Mask, MaskKey, Means};
use crate::replay::runs::{Ended, StateFolder};
use crate::replay::{Control, Create, Destination, Job, Preview, Ran, Verdict, guard};
use crate::schema::Decoder;
use crate::tui::connect::Connection;
use crate::tui::model::Model;
use crate::tui::model::overlay::{Answer, Overlay, Prompt, PromptKind, Question};
use crate::tui::msg::{Effect, Msg, Say, Trouble};
use crate::tui::widgets::input::Input;

pub(super) fn ask_target(model: &mut Model) -> Vec<Effect> {
    model.overlays.push(Overlay::Prompt(Prompt {
        kind: PromptKind::ReplayTarget,
        title: "Replay into",
        help: "CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC or a file; nothing is sent before you say so",
        input: Input::new(&model.replay.target),
        error: None,
    }));
    Vec::new()
}

pub fn target_typed(model: &mut Model, target: &str) -> Result<Vec<Effect>, String> {
    let address = Address::parse(target).map_err(|e| e.to_string())?;
    guard::target_topic(&address).map_err(|e| {
        e.hint
            .as_ref()
            .map_or_else(|| e.to_string(), |hint| format!("{e}; {hint}"))
    })?;
    target.clone_into(&mut model.replay.target);
    Ok(plan(model))
}

/// Freezes, looks at the target and previews. Writes nothing.
pub(super) fn plan(model: &mut Model) -> Vec<Effect> {
    if let Some(plan) = model.replay.again.clone() {
        return super::past::apply(model, *plan);
    }
    let Some(selection) = model.replay.selection.clone() else {
        return super::plan_selection(model);
    };
    if model.replay.target.is_empty() {
        return ask_target(model);
    }
    model.replay.number += 1;
    model.replay.stage = Stage::Planning;
    model.replay.command = None;
    let number = model.replay.number;
    let reading = match reading(model, &selection) {
        Ok(reading) => reading,
        Err(trouble) => {
            model.replay.stage = Stage::Failed(trouble);
            return Vec::new();
        }
    };
    let mut how = model.replay.how.clone();
    how.made = model.now.wall;
    how.selection.clone_from(&model.options.selection);
    how.selection.filters.extend(selection.filter.clone());
    let create = model.replay.create;
    let masks = model.options.masks.clone();
    let decoder = model.source.decoder.clone();
    let sources: Vec<Address> = reading.inputs.iter().map(|i| i.address.clone()).collect();
    let own = model
        .source
        .connections
        .iter()
        .find(|c| c.is_demo())
        .cloned();
    let text = model.replay.target.clone();
    let then = move |opened: Result<(Connection, Decoder), Trouble>| {
        let work = async move {
            let (target, judge) = opened?;
            let addresses: Vec<&Address> = sources.iter().collect();
            guard::before_network(&addresses, &target.address, &target.settings, false)?;
            let means = means(decoder, judge, &target);
            how.alterations = alterations(masks, &means)?;
            how.means = means;
            let to = destination(target, own.as_deref(), create);
            guard::existing_file(&to.address, false)?;
            previewed(Job::plan(reading, to, how).await?).await
        };
        let told: futures_util::future::BoxFuture<'static, Msg> = Box::pin(async move {
            let made = work.await;
            Msg::Done(Box::new(move |model| planned(model, number, made)))
        });
        told
    };
    vec![Effect::Open(text, Box::new(then))]
}

/// A job with its preview in lines, and the limit that it broke.
pub(super) async fn previewed(mut job: Job) -> Made {
    let (_handle, stop) = Stop::new();
    // It is over in a moment, or a person goes elsewhere meanwhile; so is a verification.
    let preview = job.preview(&move || stop.clone(), &mut Unwatched).await?;
    let outlook = job.outlook().await;
    let now = Timestamp::wall_clock();
    let judge = |p| {
        job.judge(p)
            .and_then(|()| outlook.judge(job.the_plan(), p, now))
    };
    let judged = preview.as_ref().map_or(Ok(()), judge);
    let mut lines = preview.as_ref().map(Preview::describe).unwrap_or_default();
    lines.extend(outlook.describe(job.the_plan(), preview.as_ref(), now));
    Ok((job, lines, judged.err().map(Trouble::from)))
}

/// A broker's topic has the schemas that the broker is opened with; a file takes what comes.
fn means(source: Decoder, judge: Decoder, target: &Connection) -> Means {
    let is_file = matches!(target.address, Address::File { .. });
    Means {
        source,
        target: (!is_file && judge.has_schemas()).then_some(judge),
    }
}

/// What the config says is done to events.
fn alterations(masks: Vec<Mask>, means: &Means) -> broker::Result<Alterations> {
    let mut alterations = Alterations {
        masks,
        validate: means.target.is_some(),
        ..Alterations::default()
    };
    if alterations.needs_key() {
        alterations.mask_key = Some(MaskKey::random()?);
    }
    Ok(alterations)
}

/// The embedded broker of the screen is one with that of a target: its events appear in the
/// stream.
pub(super) fn destination(
    target: Connection,
    own: Option<&Connection>,
    create: bool,
) -> Destination {
    Destination {
        broker: own_or(own, &target),
        address: target.address,
        shown: target.shown,
        env: target.env,
        create: if create {
            Create::LikeSource
        } else {
            Create::Never
        },
        overwrite: false,
    }
}

/// The broker of a connection; for the embedded one that of the screen, where there is one.
pub(super) fn own_or(own: Option<&Connection>, opened: &Connection) -> Arc<dyn Broker> {
    match own {
        Some(own) if opened.is_demo() => own.broker.clone(),
        _ => opened.broker.clone(),
    }
}

/// The read of the selection.
fn reading(model: &Model, selection: &Selection) -> Result<Reading, Trouble> {
    let mut spec: QuerySpec = model.options.spec.clone();
    spec.filters.extend(selection.filter.clone());
    let query = Query::compile(&spec).map_err(|error| Trouble {
        message: error.message.clone(),
        hint: error.hint,
    })?;
    let query = Arc::new(query);
    let count = selection.parts.len().max(1);
    let inputs = selection.parts.iter().map(|(index, topics, range)| {
        let connection = &model.source.connections[*index];
        Source {
            address: connection.address.clone().with_topics(topics.clone()),
            shown: crate::tui::command::with_topics(&connection.shown, Some(topics)),
            broker: connection.broker.clone(),
            sub: Subscription {
                topics: topics.clone(),
                partitions: match range {
                    Range::Bounds { .. } => model.options.partitions.clone(),
                    Range::Frozen(_) => Vec::new(),
                },
                range: range.clone(),
                follow: false,
                select: query.clone(),
                memory: model.options.memory / 8 / count,
                raw: false,
                notices: broker::Notices::silent(),
            },
            origin: u16::try_from(*index).unwrap_or(u16::MAX),
        }
    });
    Ok(Reading {
        inputs: inputs.collect(),
        query,
        limits: Limits::default(),
        last: None,
        follow: false,
    })
}

pub(super) type Made = Result<(Job, Vec<String>, Option<Trouble>), Trouble>;

pub(super) fn planned(model: &mut Model, number: u64, made: Made) -> Vec<Effect> {
    if number != model.replay.number {
        return Vec::new();
    }
    model.replay.stage = match made {
        Ok((job, preview, refused)) => {
            model.replay.command = match &model.replay.again {
                Some(plan) => Some(format!("evtap apply {}", plan.id())),
                None => job.command_line(),
            };
            model.replay.to_send = job.to_send();
            Stage::Planned {
                plan: job.the_plan().describe(),
                preview,
                refused,
                job: Box::new(job),
            }
        }
        Err(trouble) => Stage::Failed(trouble),
    };
    Vec::new()
}

/// Asks before anything is written; in production for the topic's name.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let Stage::Planned { job, refused, .. } = &model.replay.stage else {
        model.say(Say::info("there is no plan that could run"));
        return Vec::new();
    };
    if let Some(refused) = refused {
        let message = refused.message.clone();
        model.say(Say::bad(message));
        return Vec::new();
    }
    let into = job.destination().shown.clone();
    let count = job.to_send().map_or_else(
        || "the selected events".to_owned(),
        |n| format!("{} events", crate::text::human::count(n)),
    );
    if job.name_to_type().is_some() {
        model.overlays.push(Overlay::Prompt(Prompt {
            kind: PromptKind::ReplayConfirm,
            title: "This is production: type the topic's name",
            help: "the name of the target topic runs the plan; esc leaves it",
            input: Input::default(),
            error: None,
        }));
    } else {
        let question = match &model.replay.again {
            Some(plan) => format!("Apply run {} again, into {into}?", plan.id()),
            None => format!("Replay {count} into {into}?"),
        };
        model.overlays.push(Overlay::Question(Question {
            text: vec![question],
            yes: Answer::RunReplay,
        }));
    }
    Vec::new()
}

/// The name of a production topic was typed.
pub fn name_typed(model: &mut Model, name: &str) -> Result<Vec<Effect>, String> {
    let wanted = match &model.replay.stage {
        Stage::Planned { job, .. } => job.name_to_type().map(str::to_owned),
        _ => None,
    };
    match wanted {
        Some(wanted) if wanted == name => Ok(run_confirmed(model)),
        Some(_) => Err("that is not the name of the target topic".to_owned()),
        None => Err("there is no plan that could run".to_owned()),
    }
}

/// Runs what was confirmed.
pub fn run_confirmed(model: &mut Model) -> Vec<Effect> {
    let stage = std::mem::replace(&mut model.replay.stage, Stage::Running);
    let Stage::Planned { mut job, .. } = stage else {
        model.replay.stage = stage;
        return Vec::new();
    };
    let folder = model.options.state.clone();
    let control = job.control();
    model.replay.figures = Some(control.figures());
    model.replay.control = Some(control.clone());
    let work = async move {
        let lines = kept(&mut job, folder.as_ref(), &control).await;
        Msg::Done(Box::new(move |model| ran(model, lines)))
    };
    vec![Effect::Wait(Box::pin(work))]
}

/// Runs what is kept before it writes, and notes how it ended.
async fn kept(
    job: &mut Job,
    state: Option<&StateFolder>,
    control: &Control,
) -> Result<(Vec<String>, bool), Trouble> {
    if let Some(state) = state {
        job.keep(state, Timestamp::wall_clock())?;
    }
    let (mut told, ended) = run(job, control).await;
    let noted = job.note(&ended, Timestamp::wall_clock());
    if let (Ok((lines, good)), Err(error)) = (&mut told, noted) {
        lines.push(error.to_string());
        *good = false;
    }
    told
}

/// What is to be said of the run, and whether all is well; and the same for the audit log.
async fn run(job: &Job, control: &Control) -> (Result<(Vec<String>, bool), Trouble>, Ended) {
    let mut ran = match job.run(control).await {
        Ok(Some(ran)) => ran,
        Ok(None) => {
            let lines = vec!["stopped before anything was written".to_owned()];
            return (Ok((lines, false)), Ended::with("interrupted"));
        }
        Err(error) => {
            let ended = Ended::failed(error.kind);
            return (Err(error.into()), ended);
        }
    };
    let mut lines = ran.report.describe();
    let compared = verified(job, control, &mut ran).await;
    let verified = compared.as_ref().ok().and_then(Option::as_ref);
    let good = verified.is_some_and(|(good, _)| *good);
    let ended = Ended::of(&ran, verified.map(|(good, _)| *good));
    match compared {
        Ok(Some((_, said))) => lines.extend(said),
        Ok(None) if ran.came_to_an_end() => lines.push("it is not verified: interrupted".into()),
        Ok(None) => {}
        Err(error) => lines.push(format!("cannot verify: {error}")),
    }
    match ran.outcome {
        Ok(outcome) => lines.extend(outcome.end.reason().map(|why| format!("partial: {why}"))),
        Err(error) => lines.push(format!("the replay is incomplete: {error}")),
    }
    (Ok((lines, good)), ended)
}

/// Whether the target holds what was selected, and the words for it.
async fn verified(
    job: &Job,
    control: &Control,
    ran: &mut Ran,
) -> broker::Result<Option<(bool, Vec<String>)>> {
    if !job.can_be_compared() {
        let counted = job.verify(ran).await?;
        return Ok(counted.map(|found| (found.problems.is_empty(), found.describe())));
    }
    let stop = || control.stop();
    let compared = job.compare_run(ran, &stop, &mut Unwatched).await?;
    Ok(compared.map(|found| (found.verdict() == Verdict::Clean, found.describe())))
}

fn ran(model: &mut Model, told: Result<(Vec<String>, bool), Trouble>) -> Vec<Effect> {
    if let Some(control) = &model.replay.control {
        model.replay.figures = Some(control.figures());
    }
    model.replay.control = None;
    model.replay.stage = match told {
        Ok((lines, good)) => {
            let say = if good {
                Say::good("the replay is done and verified")
            } else {
                Say::bad("the replay ended; look at what it says")
            };
            model.say(say);
            Stage::Ran { lines, good }
        }
        Err(trouble) => Stage::Failed(trouble),
    };
    if model.replay.then_quit {
        return vec![Effect::Quit];
    }
    super::past::read(model)
}
