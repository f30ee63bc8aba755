//! `evtap apply`: runs a plan that was made before. The steps from there on are `replay`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::decoding::{self, Wanted};
use super::error::Exit;
use super::error::{Failure, Result};
use super::examples;
use super::opened::Opened;
use super::replay::{Wishes, go_on, refuse_unconfirmed};
use super::session::Session;
use crate::broker;
use crate::query::Query;
use crate::replay::alter::Means;
use crate::replay::{Accept, Create, Job, Plan, ReopenManner, Reopened, guard};
use crate::schema::{Decoder, Pins};

/// Run a plan that `replay --plan-out` wrote: preview, confirm, run, verify
#[derive(Debug, Args)]
#[command(after_help = examples::APPLY)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags are booleans, and clap wants them as fields"
)]
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
    /// Go by the schemas that are there now where they are others than when the plan was made
    #[arg(long)]
    pub accept_schemas: bool,
    /// Exit with 1 when nothing matched
    #[arg(long)]
    pub fail_empty: bool,
    /// The file for events that cannot be masked or mapped, or do not fit the schema [default:
    /// rejects-PLAN.jsonl]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Write the closing summary as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

pub async fn run(session: &Session, args: &Apply) -> Result<Exit> {
    let Prepared {
        plan,
        means,
        manner,
        sources,
        target,
    } = prepare(session, &args.plan)?;
    let addresses: Vec<_> = sources.iter().map(|s| &s.address).collect();
    guard::before_network(
        &addresses,
        &target.address,
        &target.settings,
        plan.guards.allow_self,
    )?;
    refuse_unconfirmed(session, !(args.yes || args.dry_run))?;
    let to = target.destination(Create::Never, plan.target.overwrite);
    let accept = Accept {
        gap: args.accept_gap,
        schemas: args.accept_schemas,
    };
    let mut job = Job::reopen(plan, sources, to, means, (&manner, accept)).await?;
    if let Some(file) = &args.rejects {
        job.reject_into(file.clone());
    }
    let wishes = Wishes {
        yes: args.yes,
        dry_run: args.dry_run,
        fail_empty: args.fail_empty,
        summary: args.summary.as_deref(),
    };
    go_on(session, &mut job, &wishes).await
}

/// A plan, with all that it goes by, and its sides opened.
pub(super) struct Prepared {
    pub plan: Plan,
    pub means: Means,
    pub manner: ReopenManner,
    pub sources: Vec<Reopened>,
    pub target: Opened,
}

/// Does not wait for the network.
pub(super) fn prepare(session: &Session, named: &str) -> Result<Prepared> {
    let plan = load(session, named)?;
    refuse_decoding(session)?;
    let means = means(session, &plan)?;
    Ok(Prepared {
        manner: manner(session, &plan, &means)?,
        sources: open_sources(session, &plan)?,
        target: session.open(&plan.target.address.to_string())?,
        plan,
        means,
    })
}

/// A file, or the plan of a run that is kept. A file comes first: its name can look like an id.
fn load(session: &Session, named: &str) -> Result<Plan> {
    let file = Path::new(named);
    let state = session.state_folder().ok().filter(|_| !file.exists());
    if state.as_ref().is_some_and(|state| state.is_redrive(named)) {
        return Err(Failure::usage(format!(
            "{named} is a redrive, and has no plan that could be applied"
        ))
        .hint("give its evtap redrive again: what it wrote is found there, and left alone"));
    }
    let kept = state.and_then(|state| state.plan_of(named));
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

/// How events are decoded decides what is selected: that is the plan's.
fn refuse_decoding(session: &Session) -> Result<()> {
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

/// How events are decoded, and judged where the plan says so.
pub(super) fn means(session: &Session, plan: &Plan) -> Result<Means> {
    let texts: Vec<String> = plan.sources.iter().map(|s| s.address.to_string()).collect();
    let selection = &plan.selection;
    let pins = selection.decode.as_deref().map(Pins::parse).transpose();
    let wanted = Wanted {
        pins: pins.map_err(|e| Failure::usage(format!("the plan, decode: {e}")).hint(e.hint()))?,
        schemas: selection.schemas.as_deref(),
        formats: selection.formats,
    };
    let source = decoding::decoder_as(session, &texts, &wanted)?;
    let mut target = None;
    if plan.alterations.validate {
        let texts = [plan.target.address.to_string()];
        let decoder = decoding::decoder_as(session, &texts, &wanted)?;
        target = Some(decoder).filter(Decoder::has_schemas);
    }
    Ok(Means { source, target })
}

fn open_sources(session: &Session, plan: &Plan) -> Result<Vec<Reopened>> {
    let texts = plan.sources.iter().map(|s| s.address.to_string());
    let opened = texts.map(|text| {
        let opened = session.open(&text)?;
        Ok(Reopened {
            address: opened.address,
            shown: opened.shown,
            broker: opened.broker,
        })
    });
    opened.collect()
}

/// With what the plan's sources are read.
fn manner(session: &Session, plan: &Plan, means: &Means) -> Result<ReopenManner> {
    Ok(ReopenManner {
        query: Arc::new(Query::compile(&plan.selection.spec(means.source.clone()))?),
        memory: session.global.mem / 4,
        notices: session.notices(),
    })
}
