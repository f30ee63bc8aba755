//! TCP to a host: its addresses, one after the other.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

use super::super::super::error::Failure;
use super::super::settings::{Family, Host, Socket};
use super::bare;

/// Connects to the first address that answers. Those that swallow packets share `patience`.
pub(super) async fn connect(
    socket: Socket,
    host: &Host,
    patience: Duration,
) -> Result<TcpStream, Failure> {
    let addresses = addresses(socket.family, host).await?;
    let each = patience / addresses.len().max(1) as u32;
    let mut last = None;
    for address in addresses {
        let why = match timeout(each, dial(socket, address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => bare(&error),
            Err(_) => format!("no answer within {} s", each.as_secs()),
        };
        last = Some(refused(address, &why));
    }
    Err(last.unwrap_or_else(|| unresolved(host, "it has no address of the wanted family")))
}

async fn addresses(family: Family, host: &Host) -> Result<Vec<SocketAddr>, Failure> {
    let mut addresses: Vec<SocketAddr> = match host.name.parse::<IpAddr>() {
        Ok(address) => vec![(address, host.port).into()],
        Err(_) => lookup_host((host.name.as_str(), host.port))
            .await
            .map_err(|e| unresolved(host, &bare(&e)))?
            .collect(),
    };
    addresses.retain(|address| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    });
    Ok(addresses)
}

async fn dial(settings: Socket, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_nodelay(true)?;
    socket.set_keepalive(settings.keepalive)?;
    if let Some(bytes) = settings.send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = settings.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.connect(address).await
}

/// In librdkafka's words, which the room above takes apart.
fn refused(address: SocketAddr, why: &str) -> Failure {
    let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
    Failure::new(
        Code::BrokerTransportFailure,
        format!("Connect to {family}#{address} failed: {why}"),
    )
}

fn unresolved(host: &Host, why: &str) -> Failure {
    let why = why
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(why);
    Failure::new(Code::Resolve, format!("Failed to resolve '{host}': {why}"))
}
