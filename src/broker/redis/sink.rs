//! A running write: XADD in pipelines, one on its way while the next is made. What becomes of one
//! whose answer was lost is in `resume`.

use std::sync::Arc;

use futures_util::FutureExt as _;
use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::{Pipeline, RedisError, Value};

use super::connect::{LONG_ANSWER, Server};
use super::look::strange;
use super::{fault, fields, reply, resume};
use crate::broker::{BoxFuture, Result, Sink, Written};
use crate::event::{Batch, EventRef, Position};

/// Events in one pipeline at most; its answers come in one piece.
const PIPELINED: usize = 1000;
/// Bytes in one pipeline, about.
const PIPELINED_BYTES: u64 = 1 << 20;

pub(super) struct RedisSink {
    server: Arc<Server>,
    conn: MultiplexedConnection,
    topic: Arc<str>,
    /// The id that the server gave out last; the first sink on a stream that it found there.
    last_id: Position,
    next: Pipeline,
    /// Payload bytes of each event in `next`.
    sizes: Vec<u64>,
    under_way: Option<UnderWay>,
    written: Written,
    scratch: Vec<u8>,
}

struct UnderWay {
    answers: BoxFuture<'static, Result<Vec<Value>, RedisError>>,
    /// Kept until it is answered: it may have to be sent again.
    pipe: Arc<Pipeline>,
    sizes: Vec<u64>,
}

impl RedisSink {
    pub(super) async fn open(
        server: Arc<Server>,
        topic: &Arc<str>,
        last_id: Position,
    ) -> Result<Self> {
        let conn = server.connect_first(LONG_ANSWER).await?;
        Ok(Self {
            server,
            conn,
            topic: topic.clone(),
            last_id,
            next: Pipeline::with_capacity(PIPELINED),
            sizes: Vec::with_capacity(PIPELINED),
            under_way: None,
            written: Written::default(),
            scratch: Vec::new(),
        })
    }

    fn add(&mut self, event: &EventRef<'_>) {
        let pipe = self.next.cmd("XADD").arg(&*self.topic).arg("*");
        fields::write_event(event, &mut self.scratch, |field, content| {
            pipe.arg(field).arg(content);
        });
        self.sizes.push(event.size() as u64);
    }

    /// Waits for the pipeline that is under way and sends the one that was made meanwhile.
    async fn turn(&mut self) -> Result<()> {
        self.settle().await?;
        if !self.sizes.is_empty() {
            let sizes = std::mem::replace(&mut self.sizes, Vec::with_capacity(PIPELINED));
            let pipe = std::mem::replace(&mut self.next, Pipeline::with_capacity(PIPELINED));
            self.start(Arc::new(pipe), sizes);
        }
        Ok(())
    }

    fn start(&mut self, pipe: Arc<Pipeline>, sizes: Vec<u64>) {
        let (mut conn, sent, count) = (self.conn.clone(), pipe.clone(), sizes.len());
        let mut answers: BoxFuture<'static, _> =
            Box::pin(async move { conn.req_packed_commands(&sent, 0, count).await });
        // A first poll sends it.
        if let Some(ready) = answers.as_mut().now_or_never() {
            answers = Box::pin(std::future::ready(ready));
        }
        self.under_way = Some(UnderWay {
            answers,
            pipe,
            sizes,
        });
    }

    async fn settle(&mut self) -> Result<()> {
        while let Some(under_way) = &mut self.under_way {
            match under_way.answers.as_mut().await {
                Ok(answers) => return self.count(answers),
                Err(error) if fault::is_passing(&error) => {
                    // Whoever drops this future here finds the same answer again.
                    under_way.answers = Box::pin(std::future::ready(Err(error)));
                    let (pipe, last_id) = (under_way.pipe.clone(), self.last_id);
                    let stand =
                        resume::find_stand(&self.server, &self.topic, last_id, &pipe).await?;
                    self.resume(stand, &pipe);
                }
                Err(error) => {
                    self.under_way = None;
                    return Err(self.explain(&error));
                }
            }
        }
        Ok(())
    }

    /// Counts what the server stored before it was lost, and sends the rest on a new connection.
    fn resume(&mut self, stand: resume::Stand, pipe: &Pipeline) {
        let Some(mut under_way) = self.under_way.take() else {
            return;
        };
        self.conn = stand.conn;
        self.last_id = stand.last_id;
        let rest = under_way.sizes.split_off(stand.stored);
        self.written.events += under_way.sizes.len() as u64;
        self.written.bytes += under_way.sizes.iter().sum::<u64>();
        if !rest.is_empty() {
            let mut again = Pipeline::with_capacity(rest.len());
            for cmd in pipe.cmd_iter().skip(stand.stored) {
                again.add_command(cmd.clone());
            }
            self.start(Arc::new(again), rest);
        }
    }

    fn count(&mut self, answers: Vec<Value>) -> Result<()> {
        let sizes = self.under_way.take().map(|u| u.sizes).unwrap_or_default();
        let mut refused = None;
        for (answer, size) in answers.into_iter().zip(sizes) {
            match answer.extract_error() {
                Ok(id) => {
                    self.last_id =
                        reply::id(&id).ok_or_else(|| strange(&self.server, "write to"))?;
                    self.written.events += 1;
                    self.written.bytes += size;
                }
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        refused.map_or(Ok(()), |error| Err(self.explain(&error)))
    }

    fn explain(&self, error: &RedisError) -> crate::broker::Error {
        let doing = format!("write to '{}' on", self.topic);
        fault::explain(&self.server, &doing, error)
    }

    async fn send_all(&mut self, batch: &Batch) -> Result<()> {
        let mut bytes: u64 = self.sizes.iter().sum();
        for event in batch.iter() {
            self.add(&event);
            bytes += event.size() as u64;
            if self.sizes.len() >= PIPELINED || bytes >= PIPELINED_BYTES {
                self.turn().await?;
                bytes = 0;
            }
        }
        Ok(())
    }
}

impl Sink for RedisSink {
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.send_all(batch))
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<Written>> {
        Box::pin(async move {
            self.turn().await?;
            self.settle().await?;
            Ok(self.written)
        })
    }
}
