//! Questions to brokers that are answered once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::broker::TopicSelector;
use crate::text::human;
use crate::tui::connect::{Connect, Connected, Connection, ContextRow};
use crate::tui::msg::{Msg, Trouble};

/// A context that takes longer is told to be unreachable.
const PROBE: Duration = Duration::from_secs(8);

pub async fn topics(index: usize, connection: Arc<Connection>) -> Msg {
    let found = connection.broker.overview(&TopicSelector::all()).await;
    Msg::Topics {
        connection: index,
        found: found.map_err(Trouble::from),
    }
}

pub async fn groups(index: usize, connection: Arc<Connection>) -> Msg {
    let found = connection.broker.groups().await;
    Msg::Groups {
        connection: index,
        found: found.map_err(Trouble::from),
    }
}

/// Opens what was named. Does not wait for the network, but may run a command for a secret.
pub fn connect(connect: &dyn Connect, texts: &[String]) -> Msg {
    let opened = texts.iter().map(|text| connect.open(text).map(Arc::new));
    let connected = opened.collect::<Result<_, _>>().and_then(|connections| {
        let decoder = connect.decoder(texts)?;
        let sagas = connect.sagas(texts)?;
        Ok(Connected {
            connections,
            decoder,
            sagas,
        })
    });
    Msg::Connected(connected)
}

/// Whether a context answers, and how fast.
pub async fn probe(connect: Arc<dyn Connect>, row: ContextRow) -> Msg {
    let name = row.name.clone();
    let opened = tokio::task::spawn_blocking(move || connect.open(&row.name)).await;
    let reachable = match opened {
        Ok(Ok(connection)) => ask(&connection).await,
        Ok(Err(trouble)) => Err(trouble),
        Err(error) => Err(Trouble {
            message: error.to_string(),
            hint: None,
        }),
    };
    Msg::Probed { name, reachable }
}

async fn ask(connection: &Connection) -> Result<String, Trouble> {
    let started = Instant::now();
    match tokio::time::timeout(PROBE, connection.broker.cluster()).await {
        Ok(Ok(_)) => Ok(format!("answers in {}", human::duration(started.elapsed()))),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Trouble {
            message: format!("no answer in {}", human::duration(PROBE)),
            hint: None,
        }),
    }
}
