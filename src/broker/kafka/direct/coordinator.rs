//! Finding the broker that looks after a group, or after the transactions of a producer.

use std::time::{Duration, Instant};

use kafka_protocol::messages::{ApiKey, FindCoordinatorRequest};
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::{sleep, timeout};

use super::super::error::Failure;
use super::cluster::{Cluster, SILENT};
use super::connection::Connection;
use super::settings::Host;
use super::wire::{Reader, checked, garbled, text};

/// A cluster that has had no group yet makes the topic of the commits first.
const MAKING: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);
const VERSIONS: (i16, i16) = (0, 4);

/// What is looked after, by its name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'a> {
    Group(&'a str),
    /// A transactional id.
    Transactions(&'a str),
}

/// A new connection to its coordinator.
pub(super) async fn connect(cluster: &Cluster, of: Of<'_>) -> Result<Connection, Failure> {
    let host = find(cluster, of).await?;
    Connection::open(&cluster.settings, &host).await
}

/// Where its coordinator is.
pub(super) async fn find(cluster: &Cluster, of: Of<'_>) -> Result<Host, Failure> {
    let began = Instant::now();
    loop {
        let failure = match ask(cluster, of).await {
            Ok(host) => return Ok(host),
            Err(failure) => failure,
        };
        if !moved(&failure) || began.elapsed() > MAKING {
            return Err(failure);
        }
        sleep(PAUSE).await;
    }
}

/// The group is being taken over by another coordinator, or was just.
pub(super) fn moved(failure: &Failure) -> bool {
    matches!(
        failure.code,
        Code::NotCoordinator | Code::CoordinatorNotAvailable | Code::CoordinatorLoadInProgress
    )
}

async fn ask(cluster: &Cluster, of: Of<'_>) -> Result<Host, Failure> {
    if let Some((host, mut connection)) = cluster.idle()
        && let Ok(told) = timeout(SILENT, ask_by(&mut connection, of)).await
    {
        match told {
            Err(failure) if !moved(&failure) => {}
            told => {
                cluster.keep(host, connection);
                return told;
            }
        }
    }
    let (host, mut connection) = cluster.any().await?;
    let found = ask_by(&mut connection, of).await?;
    cluster.keep(host, connection);
    Ok(found)
}

async fn ask_by(connection: &mut Connection, of: Of<'_>) -> Result<Host, Failure> {
    let version = connection.version(ApiKey::FindCoordinator, VERSIONS)?;
    let (kind, name) = match of {
        Of::Group(name) => (0, name),
        Of::Transactions(name) => (1, name),
    };
    let name = text(name);
    let request = FindCoordinatorRequest::default().with_key_type(kind);
    let request = if version >= 4 {
        request.with_coordinator_keys(vec![name])
    } else {
        request.with_key(name)
    };
    let answer = connection
        .call(ApiKey::FindCoordinator, version, &request)
        .await?;
    read(&answer, version)
}

fn read(answer: &[u8], version: i16) -> Result<Host, Failure> {
    let mut reader = Reader::new(answer, version >= 3);
    let r = &mut reader;
    if version >= 1 {
        r.i32()?;
    }
    let (error, host) = if version >= 4 {
        if r.count()? == 0 {
            return Err(garbled("no coordinator"));
        }
        r.text()?;
        r.i32()?;
        let host = at(r)?;
        (r.i16()?, host)
    } else {
        let error = r.i16()?;
        if version >= 1 {
            r.string()?;
        }
        r.i32()?;
        (error, at(r)?)
    };
    checked(error)?;
    let port = u16::try_from(host.1).map_err(|_| garbled("a port above 65535"))?;
    Ok(Host { name: host.0, port })
}

/// Host and port; with an error they are empty and below 0.
fn at(r: &mut Reader<'_>) -> Result<(String, i32), Failure> {
    Ok((r.text()?.to_owned(), r.i32()?))
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::find_coordinator_response::Coordinator;
    use kafka_protocol::messages::{BrokerId, FindCoordinatorResponse};

    use super::super::fixture::encoded;
    use super::*;

    #[test]
    fn a_coordinator_is_found_in_every_version() {
        for version in 0..=4 {
            let answer = if version >= 4 {
                let one = Coordinator::default()
                    .with_key(text("g"))
                    .with_node_id(BrokerId(1))
                    .with_host(text("h"))
                    .with_port(9);
                FindCoordinatorResponse::default().with_coordinators(vec![one])
            } else {
                FindCoordinatorResponse::default()
                    .with_node_id(BrokerId(1))
                    .with_host(text("h"))
                    .with_port(9)
            };
            let bytes = encoded(&answer, version);
            let host = read(&bytes, version).unwrap();
            assert_eq!((host.name.as_str(), host.port), ("h", 9));
            for end in 0..bytes.len() - 1 {
                let cut = read(&bytes[..end], version);
                // The last bytes say nothing that is needed.
                assert!(cut.is_err() || end + 4 >= bytes.len(), "{version} {end}");
            }
        }
        let none = FindCoordinatorResponse::default()
            .with_error_code(15)
            .with_port(-1);
        let failure = read(&encoded(&none, 3), 3).err().unwrap();
        assert_eq!(failure.code, Code::CoordinatorNotAvailable);
    }
}
