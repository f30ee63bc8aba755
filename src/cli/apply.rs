//! `evtap apply`: runs a plan that was made before. The steps from there on are `replay`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::decoding::{self, Wanted};
use super::error::Exit;
use super::error::{Failure, Result};
use super::examples;
use super::replay::{Wishes, go_on, refuse_unconfirmed};
use super::session::{Opened, Session};
use crate::broker::{self, Range, Subscription};
use crate::pipeline::{Input, Limits, Reading};
use crate::query::Query;
use crate::replay::{Again, Create, Destination, Job, Plan, guard, still_holds};
use crate::schema::Pins;

/// Run a plan that `replay --plan-out` wrote: preview, confirm, run, verify
#[derive(Debug, Args)]
#[command(after_help = examples::APPLY)]
pub struct Apply {
    /// The file of a plan, or the id of a run that is kept on this host
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// Stop after the preview
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; without it a terminal is needed
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Replay what is left where retention has taken the start of a range meanwhile
    #[arg(long)]
    pub accept_gap: bool,
    /// Exit with 1 when nothing matched
    #[arg(long)]
    pub fail_empty: bool,
    /// Write the closing summary as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

pub async fn run(session: &Session, args: &Apply) -> Result<Exit> {
    let plan = load(session, &args.plan)?;
    refuse_decoding(session)?;
    let query = compile(session, &plan)?;
    let sources = open_sources(session, &plan)?;
    let target = session.open(&plan.target.address.to_string())?;
    let addresses: Vec<_> = sources.iter().map(|s| &s.address).collect();
    guard::before_network(
        &addresses,
        &target.address,
        &target.settings,
        plan.guards.allow_self,
    )?;
    refuse_unconfirmed(session, !(args.yes || args.dry_run))?;
    guard::existing_file(&target.address, plan.target.overwrite)?;
    let again: Vec<Again<'_>> = sources.iter().map(again).collect();
    let ranges = still_holds(&plan, &again, &self::again(&target), args.accept_gap).await?;
    drop(again);
    let reading = reading(session, &plan, query, sources)?;
    let to = Destination {
        address: target.address,
        shown: target.shown,
        broker: target.broker,
        env: target.env,
        create: Create::Never,
        overwrite: plan.target.overwrite,
    };
    let mut job = Job::again(reading, to, plan, ranges);
    let wishes = Wishes {
        yes: args.yes,
        dry_run: args.dry_run,
        fail_empty: args.fail_empty,
        summary: args.summary.as_deref(),
    };
    go_on(session, &mut job, &wishes).await
}

/// A file, or the plan of a run that is kept. A file comes first: its name can look like an id.
pub(super) fn load(session: &Session, named: &str) -> Result<Plan> {
    let file = Path::new(named);
    let kept = match session.state_folder() {
        Ok(state) if !file.exists() => state.plan_of(named),
        _ => None,
    };
    if let Some(kept) = kept.as_deref().filter(|path| !path.exists()) {
        return Err(
            Failure::usage(format!("no run {named} is kept, and no file has that name")).hint(
                format!("a run on this host would be kept in {}", kept.display()),
            ),
        );
    }
    let plan = Plan::load(kept.as_deref().unwrap_or(file));
    Ok(plan.map_err(broker::Error::from)?)
}

pub(super) fn again(opened: &Opened) -> Again<'_> {
    Again {
        address: &opened.address,
        broker: &*opened.broker,
    }
}

/// How events are decoded decides what is selected: that is the plan's.
pub(super) fn refuse_decoding(session: &Session) -> Result<()> {
    let global = &session.global;
    for (flag, given) in [
        ("--decode", global.decode.is_some()),
        ("--schemas", global.schemas.is_some()),
        ("--formats", global.formats),
    ] {
        if given {
            return Err(Failure::usage(format!(
                "{flag} is the plan's: it decides what is selected"
            ))
            .hint("leave it out, or make the plan anew with it"));
        }
    }
    Ok(())
}

pub(super) fn compile(session: &Session, plan: &Plan) -> Result<Arc<Query>> {
    let texts: Vec<String> = plan.sources.iter().map(|s| s.address.to_string()).collect();
    let selection = &plan.selection;
    let pins = selection.decode.as_deref().map(Pins::parse).transpose();
    let wanted = Wanted {
        pins: pins.map_err(|e| Failure::usage(format!("the plan, decode: {e}")).hint(e.hint()))?,
        schemas: selection.schemas.as_deref(),
        formats: selection.formats,
    };
    let decoder = decoding::decoder_as(session, &texts, &wanted)?;
    Ok(Arc::new(Query::compile(&selection.spec(decoder))?))
}

pub(super) fn open_sources(session: &Session, plan: &Plan) -> Result<Vec<Opened>> {
    let texts = plan.sources.iter().map(|s| s.address.to_string());
    texts.map(|text| session.open(&text)).collect()
}

/// The read of the plan's ranges. They are put in by [`Job::again`].
pub(super) fn reading(
    session: &Session,
    plan: &Plan,
    query: Arc<Query>,
    sources: Vec<Opened>,
) -> Result<Reading> {
    let memory = session.global.mem / 4 / sources.len().max(1);
    let mut inputs = Vec::with_capacity(sources.len());
    for (index, opened) in sources.into_iter().enumerate() {
        let sub = Subscription {
            topics: opened.address.topics(),
            partitions: Vec::new(),
            range: Range::Frozen(Vec::new()),
            follow: false,
            select: query.clone(),
            memory,
            raw: false,
            notices: session.notices(),
        };
        inputs.push(Input {
            address: opened.address,
            shown: opened.shown,
            broker: opened.broker,
            sub,
            origin: u16::try_from(index)
                .map_err(|_| Failure::usage("the plan has too many sources"))?,
        });
    }
    Ok(Reading {
        query,
        inputs,
        limits: Limits {
            events: plan.selection.limit,
            ..Limits::default()
        },
        last: plan.selection.last,
        follow: false,
    })
}
