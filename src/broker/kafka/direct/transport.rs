//! The bytes of a connection: TCP, with or without TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::super::error::Failure;
use super::settings::{Host, Settings};

/// What a connection reads from and writes to.
pub(super) enum Transport {
    Plain(TcpStream),
}

/// Connects to the first address of a host that answers.
pub(super) async fn connect(_settings: &Settings, host: &Host) -> Result<Transport, Failure> {
    let stream = TcpStream::connect((host.name.as_str(), host.port))
        .await
        .map_err(|e| broken(&e))?;
    stream.set_nodelay(true).map_err(|e| broken(&e))?;
    Ok(Transport::Plain(stream))
}

/// The failure for a connection that broke.
pub(super) fn broken(error: &io::Error) -> Failure {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    Failure::new(Code::BrokerTransportFailure, plain)
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
