//! The model of the sagas that a capture was recorded with, as an attachment: what must follow what
//! in its events. The text is kept as it was written; what it means is not known here.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{is_capture, mcap};
use crate::broker::SagaText;

/// The name of the attachment.
pub(super) const NAME: &str = "evtap.saga.json";

#[derive(Serialize, Deserialize)]
struct Document {
    version: u64,
    toml: bool,
    text: String,
}

const VERSION: u64 = 1;

/// The model that a capture holds; `None` where it holds none that can be read.
pub fn saga(path: &Path) -> Option<SagaText> {
    if !is_capture(path) {
        return None;
    }
    let json = mcap::attached(path, NAME)?;
    let document: Document = serde_json::from_slice(&json).ok()?;
    (document.version == VERSION).then_some(SagaText {
        text: document.text,
        toml: document.toml,
    })
}

/// The document.
pub(super) fn to_json(saga: &SagaText) -> Vec<u8> {
    let document = Document {
        version: VERSION,
        toml: saga.toml,
        text: saga.text.clone(),
    };
    // A number, a truth and a text: nothing of it can fail.
    serde_json::to_vec(&document).unwrap_or_default()
}
