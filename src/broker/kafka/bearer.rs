//! Gives librdkafka the tokens that our own code fetches: it is built without an HTTP client, and
//! knows no ready tokens.
#![expect(unsafe_code, reason = "a token is set on the native client")]

use std::ffi::{CStr, CString, c_char};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::{Client as Native, DefaultClientContext};
use rdkafka::types::RDKafkaErrorCode as Code;
use secrecy::ExposeSecret as _;

use super::direct::{self, Tokens};
use super::error::Failure;
use super::properties::Properties;
use crate::broker::Result;
use crate::event::Timestamp;

/// For a look-up of a token.
const PATIENCE: Duration = Duration::from_secs(8);
const PRINCIPAL: &CStr = c"evtap";

pub(super) struct Bearer {
    tokens: Arc<Tokens>,
}

impl Bearer {
    /// `None` where librdkafka logs in without us.
    pub(super) fn of(properties: &Properties) -> Result<Option<Self>> {
        Ok(direct::tokens(properties)?.map(|tokens| Self { tokens }))
    }

    /// Gets a token and sets it. Waits for the token endpoint.
    pub(super) fn renew(
        &self,
        client: &Native<DefaultClientContext>,
    ) -> std::result::Result<(), Failure> {
        // The caller may be a thread of a runtime, which must not run another one.
        let renewed = thread::scope(|scope| {
            thread::Builder::new()
                .name("kafka-token".into())
                .spawn_scoped(scope, || self.renew_here(client))
                .map_err(|e| failed(&format!("start a thread: {e}")))?
                .join()
                .unwrap_or_else(|_| Err(failed("the look-up ended without an answer")))
        });
        if let Err(failure) = &renewed {
            let text = CString::new(failure.text.replace('\0', " ")).unwrap_or_default();
            // SAFETY: the client is alive, and the text outlives the call.
            unsafe {
                sys::rd_kafka_oauthbearer_set_token_failure(client.native_ptr(), text.as_ptr());
            }
        }
        renewed
    }

    fn renew_here(
        &self,
        client: &Native<DefaultClientContext>,
    ) -> std::result::Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| failed(&e.to_string()))?;
        let token = runtime.block_on(self.tokens.token(PATIENCE))?;
        let text = c_text(token.text.expose_secret())?;
        let mut texts = Vec::new();
        for (name, value) in token.extensions {
            texts.push(c_text(name)?);
            texts.push(c_text(value)?);
        }
        let mut pairs: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
        let ends = Timestamp::wall_clock().0 + token.life.as_millis() as i64;
        let mut said = [0u8; 512];
        // SAFETY: the client, the texts and the place for what is said are alive; the extensions
        // are as many as is told.
        let code = unsafe {
            sys::rd_kafka_oauthbearer_set_token(
                client.native_ptr(),
                text.as_ptr(),
                ends,
                PRINCIPAL.as_ptr(),
                pairs.as_mut_ptr(),
                pairs.len(),
                said.as_mut_ptr().cast(),
                said.len(),
            )
        };
        if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Ok(());
        }
        let said = CStr::from_bytes_until_nul(&said).unwrap_or_default();
        Err(failed(&said.to_string_lossy()))
    }
}

fn c_text(text: &str) -> std::result::Result<CString, Failure> {
    CString::new(text).map_err(|_| failed("it holds a NUL byte"))
}

fn failed(why: &str) -> Failure {
    Failure::new(Code::Authentication, format!("the token: {why}")).hint(direct::TOKEN_HINT)
}
