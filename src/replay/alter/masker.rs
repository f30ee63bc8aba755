//! Disguises what the masks name, in the key, the value and the headers. What it cannot look into
//! it refuses: nothing unmasked is let through.

use std::sync::Arc;

use super::disguise::{Disguise, push_bytes};
use super::edit::{Aim, Editor};
use super::hmac::Hmac;
use super::path::Part;
use super::{Mask, Refusal};
use crate::event::{Content, Decoded, EventRef, HeaderBuf, Headers, Streams};
use crate::schema::Reader;

/// The masks of one topic, by what they are in.
#[derive(Default)]
struct Sheet {
    key: Vec<Aim>,
    value: Vec<Aim>,
    headers: Vec<(String, Disguise, usize)>,
}

/// The masks at work.
pub(super) struct Masker {
    masks: Vec<Mask>,
    hmac: Hmac,
    /// One a stream of the table.
    sheets: Vec<Arc<Sheet>>,
    /// How many values each mask disguised.
    pub(super) seen: Vec<u64>,
    editor: Editor,
    text: Vec<u8>,
    key: Vec<u8>,
    value: Vec<u8>,
    headers: HeaderBuf,
    header: Vec<u8>,
}

impl Masker {
    pub(super) fn new(masks: &[Mask], hmac: Hmac) -> Self {
        Self {
            seen: vec![0; masks.len()],
            masks: masks.to_vec(),
            hmac,
            sheets: Vec::new(),
            editor: Editor::default(),
            text: Vec::new(),
            key: Vec::new(),
            value: Vec::new(),
            headers: HeaderBuf::default(),
            header: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, table: &Streams) {
        self.sheets.clear();
        for (index, stream) in table.iter().enumerate() {
            // Partitions of a topic stand together.
            let before = index.checked_sub(1).and_then(|i| table.get(i));
            let sheet = match (before, self.sheets.last()) {
                (Some(before), Some(sheet)) if before.topic == stream.topic => sheet.clone(),
                _ => Arc::new(self.sheet(&stream.topic)),
            };
            self.sheets.push(sheet);
        }
    }

    fn sheet(&self, topic: &str) -> Sheet {
        let mut sheet = Sheet::default();
        for (mask, one) in self.masks.iter().enumerate() {
            if !one.takes(topic) {
                continue;
            }
            let aim = Aim {
                steps: one.path.steps.clone(),
                how: one.how,
                mask,
            };
            match &one.path.part {
                Part::Key => sheet.key.push(aim),
                Part::Value => sheet.value.push(aim),
                Part::Header(name) => sheet.headers.push((name.clone(), one.how, mask)),
            }
        }
        sheet
    }

    /// The event with what is to be masked disguised; what has nothing of it keeps its bytes.
    pub(super) fn apply<'a>(
        &'a mut self,
        reader: &mut Reader,
        event: &EventRef<'a>,
    ) -> Result<EventRef<'a>, Refusal> {
        let Some(sheet) = self.sheets.get(event.stream_index as usize).cloned() else {
            return Err(Refusal::new("its partition is not known"));
        };
        let (mut key, mut value) = (false, false);
        if !sheet.key.is_empty() || !sheet.value.is_empty() {
            let seen = reader.see(event);
            let mut out = std::mem::take(&mut self.key);
            let done = self.part(&sheet.key, &seen.key, event.key, &mut out);
            self.key = out;
            key = done.map_err(|why| why.on("key"))?;
            let mut out = std::mem::take(&mut self.value);
            let done = self.part(&sheet.value, &seen.value, event.value, &mut out);
            self.value = out;
            value = done.map_err(|why| why.on("value"))?;
        }
        let headers = self.in_headers(&sheet, event.headers);
        Ok(EventRef {
            key: if key { Some(&self.key) } else { event.key },
            value: if value {
                Some(&self.value)
            } else {
                event.value
            },
            headers: if headers {
                self.headers.as_headers()
            } else {
                event.headers
            },
            ..*event
        })
    }

    /// Writes the part disguised; false where nothing of it is named.
    fn part(
        &mut self,
        aims: &[Aim],
        content: &Content<'_>,
        bytes: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Refusal> {
        out.clear();
        let (false, Some(bytes)) = (aims.is_empty(), bytes) else {
            return Ok(false);
        };
        if bytes.is_empty() {
            return Ok(false);
        }
        if let Decoded::Json(json) = content.data {
            self.text.clear();
            let found = self.editor.edit(
                json.as_bytes(),
                aims,
                &self.hmac,
                &mut self.seen,
                &mut self.text,
            );
            if !found {
                return Ok(false);
            }
            let (before, after) = around(json.as_bytes(), bytes).ok_or_else(|| {
                Refusal::new(format!(
                    "it is {}, which cannot be written again with a value masked",
                    content.encoding("null")
                ))
            })?;
            for piece in [before, &self.text, after] {
                out.extend_from_slice(piece);
            }
            return Ok(true);
        }
        let whole = aims.iter().find(|aim| aim.steps.is_empty());
        match (whole, content.from) {
            (Some(aim), None) => {
                push_bytes(aim.how, &self.hmac, bytes, out);
                if let Some(seen) = self.seen.get_mut(aim.mask) {
                    *seen += 1;
                }
                Ok(true)
            }
            (Some(_), Some(from)) => Err(Refusal::new(format!(
                "it is {from}, which cannot be masked as a whole"
            ))),
            (None, _) => Err(Refusal::new(match content.data {
                Decoded::Text(_) => {
                    "it is text and no JSON, so that what is to be masked cannot be found"
                }
                _ => {
                    "it is binary, so that what is to be masked cannot be found; are its schemas named?"
                }
            })),
        }
    }

    fn in_headers(&mut self, sheet: &Sheet, headers: Headers<'_>) -> bool {
        let named = |name: &[u8]| {
            let mut all = sheet.headers.iter();
            all.find(|(wanted, ..)| wanted.as_bytes() == name)
        };
        if sheet.headers.is_empty() || !headers.iter().any(|(name, _)| named(name).is_some()) {
            return false;
        }
        self.headers.clear();
        for (name, value) in headers {
            let (Some((_, how, mask)), Some(bytes)) = (named(name), value) else {
                self.headers.push(name, value);
                continue;
            };
            self.header.clear();
            push_bytes(*how, &self.hmac, bytes, &mut self.header);
            self.headers.push(name, Some(&self.header));
            if let Some(seen) = self.seen.get_mut(*mask) {
                *seen += 1;
            }
        }
        true
    }
}

/// What stands before and behind the text, where it is a piece of the bytes itself: JSON behind
/// the id of its schema, or in an envelope. `None` where it was made of them.
pub(super) fn around<'b>(text: &[u8], bytes: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
    let start = text.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    let end = start.checked_add(text.len())?;
    // Memory that lies elsewhere by chance holds something else, or the same: both are right.
    (bytes.get(start..end)? == text).then(|| {
        (
            bytes.get(..start).unwrap_or_default(),
            bytes.get(end..).unwrap_or_default(),
        )
    })
}
