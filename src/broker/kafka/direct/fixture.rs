//! What the tests of this room share: answers as a broker writes them, what is done to them on the
//! way, and a place where nobody answers. For tests only.

use std::net::SocketAddr;

use bytes::BytesMut;
use kafka_protocol::protocol::Encodable;
use tokio::net::TcpSocket;

use super::super::error::Failure;

/// An answer as it comes, without the header.
pub(super) fn encoded(answer: &impl Encodable, version: i16) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    answer.encode(&mut bytes, version).unwrap();
    bytes.to_vec()
}

/// Cut or bent anywhere, an answer is an error or other data, and never a panic.
pub(super) fn survives<T>(bytes: &[u8], read: impl Fn(&[u8]) -> Result<T, Failure>) {
    for end in 0..bytes.len() {
        drop(read(&bytes[..end]));
        let mut bent = bytes.to_vec();
        bent[end] ^= 0xff;
        drop(read(&bent));
    }
}

/// Bound and not listening: as long as it lives nobody else gets this port, and all who ask are
/// refused.
pub(super) fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}
