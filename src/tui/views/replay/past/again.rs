//! A plan that was made before comes back as one that can be asked about and run. The engine's
//! steps are those of `evtap apply`.

use std::sync::Arc;

use super::super::{Stage, State, steps};
use crate::broker::{Address, Notices};
use crate::query::Query;
use crate::replay::{Accept, Create, Destination, Job, Plan, ReopenManner, Reopened, guard};
use crate::tui::connect::{Connection, OfPlan};
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Msg, Trouble};

/// Opens both sides, asks whether the plan still holds, and previews it. Writes nothing.
pub fn apply(model: &mut Model, plan: Plan) -> Vec<Effect> {
    let number = model.replay.number + 1;
    model.replay = State {
        again: Some(Box::new(plan.clone())),
        stage: Stage::Planning,
        number,
        ..State::default()
    };
    let memory = model.options.memory / 8;
    let connections = &model.source.connections;
    let own = connections.iter().find(|c| c.is_demo()).cloned();
    let opening = Box::new(plan.clone());
    let then = move |opened: Result<OfPlan, Trouble>| {
        let work = async move {
            let job = reopen(plan, opened?, own.as_deref(), memory).await?;
            steps::previewed(job).await
        };
        let told: futures_util::future::BoxFuture<'static, Msg> = Box::pin(async move {
            let made = work.await;
            Msg::Done(Box::new(move |model| steps::planned(model, number, made)))
        });
        told
    };
    vec![Effect::OpenPlan(opening, Box::new(then))]
}

async fn reopen(
    plan: Plan,
    opened: OfPlan,
    own: Option<&Connection>,
    memory: usize,
) -> Result<Job, Trouble> {
    let OfPlan {
        sources,
        target,
        means,
    } = opened;
    let addresses: Vec<&Address> = sources.iter().map(|s| &s.address).collect();
    let allow_self = plan.guards.allow_self;
    guard::before_network(&addresses, &target.address, &target.settings, allow_self)?;
    let spec = plan.selection.spec(means.source.clone());
    let query = Query::compile(&spec).map_err(|error| Trouble {
        message: error.message.clone(),
        hint: error.hint,
    })?;
    let manner = ReopenManner {
        query: Arc::new(query),
        memory,
        notices: Notices::silent(),
    };
    let source = |source: Connection| Reopened {
        broker: steps::own_or(own, &source),
        address: source.address,
        shown: source.shown,
    };
    let sources = sources.into_iter().map(source).collect();
    let to = Destination {
        create: Create::Never,
        overwrite: plan.target.overwrite,
        ..steps::destination(target, own, false)
    };
    Ok(Job::reopen(plan, sources, to, means, (&manner, Accept::default())).await?)
}
