//! The bytes of a connection: TCP, with or without TLS.

mod tcp;
mod tls;
mod verify;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode as Code;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::super::error::Failure;
use super::settings::{Host, Settings, Socket};

pub(super) use self::verify::Lenient;

/// What a connection reads from and writes to.
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to the first address of a broker that answers.
pub(super) async fn connect(settings: &Settings, host: &Host) -> Result<Transport, Failure> {
    let tls = settings.tls.as_ref();
    connect_with(settings.socket, tls, host, settings.setup_timeout).await
}

/// Connects to any server.
pub(super) async fn connect_with(
    socket: Socket,
    tls: Option<&Arc<ClientConfig>>,
    host: &Host,
    patience: Duration,
) -> Result<Transport, Failure> {
    let stream = tcp::connect(socket, host, patience).await?;
    match tls {
        None => Ok(Transport::Plain(stream)),
        Some(config) => {
            let stream = tls::shake_hands(config, host, stream).await?;
            Ok(Transport::Tls(Box::new(stream)))
        }
    }
}

/// The failure for a connection that broke.
pub(super) fn broken(error: &io::Error) -> Failure {
    tls::failure(error).unwrap_or_else(|| Failure::new(Code::BrokerTransportFailure, bare(error)))
}

/// An error's text without its number.
fn bare(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
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
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
