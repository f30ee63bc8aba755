//! What a schema that was found makes of bytes.

use super::Desk;
use super::made::{Data, Made};
use super::work::{Tools, Work};
use crate::event::{Format, SchemaFault, SchemaVerdict, decode};
use crate::schema::Refusal;
use crate::schema::compiler::{Compiled, Ready};
use crate::schema::json::{Faults, Validator};
use crate::schema::protobuf::{self, MessageId, Protobuf};

/// What a schema made of bytes.
pub(super) struct Applied {
    pub(super) data: Lies,
    pub(super) from: Option<&'static str>,
    pub(super) verdict: SchemaVerdict,
}

pub(super) enum Lies {
    /// JSON text on the desk.
    Written,
    /// The bytes themselves are the JSON text.
    InPlace,
}

/// Keeps what is wrong, in the strings that are there already.
fn keep(faults: &mut Vec<SchemaFault>, found: &Faults) {
    faults.extend(found.list().iter().map(|fault| SchemaFault {
        path: fault.path.clone(),
        keyword: fault.keyword.clone(),
        message: fault.message.clone(),
    }));
}

impl<'e> Work<'_, 'e> {
    /// What the schema makes of the bytes.
    pub(super) fn apply(
        &mut self,
        ready: &Ready,
        bytes: &'e [u8],
        indexes: Option<&[u8]>,
        desk: &mut Desk,
    ) -> Result<Made<'e>, Refusal> {
        let applied = self.apply_to(ready, bytes, indexes, desk)?;
        let data = match applied.data {
            Lies::Written => Data::Written,
            // It was read as JSON just now.
            Lies::InPlace => Data::Of(decode(Some(bytes), Format::Json).data),
        };
        Ok(Made {
            verdict: Some(applied.verdict),
            ..Made::of(data, applied.from)
        })
    }

    pub(super) fn apply_to(
        &mut self,
        ready: &Ready,
        bytes: &[u8],
        indexes: Option<&[u8]>,
        desk: &mut Desk,
    ) -> Result<Applied, Refusal> {
        self.note(|trail| trail.uses(&ready.known));
        let compiled = match &ready.compiled {
            Ok(compiled) => compiled,
            Err(error) => return Err(Refusal::new(format!("its schema cannot be used: {error}"))),
        };
        desk.out.clear();
        let from = match compiled {
            Compiled::Json(validator) => return self.apply_json(validator, bytes, desk),
            Compiled::Avro(avro) => {
                let read = avro.write_json(bytes, &mut desk.out)?;
                if read < bytes.len() {
                    let left = bytes.len() - read;
                    return Err(Refusal::new(format!(
                        "{left} bytes are left over after the Avro datum"
                    )));
                }
                "avro"
            }
            Compiled::Protobuf(protobuf) => {
                self.apply_protobuf(protobuf, bytes, indexes, desk)?;
                "protobuf"
            }
        };
        Ok(Applied {
            data: Lies::Written,
            from: Some(from),
            verdict: SchemaVerdict::Valid,
        })
    }

    fn apply_json(
        &mut self,
        validator: &Validator,
        bytes: &[u8],
        desk: &mut Desk,
    ) -> Result<Applied, Refusal> {
        let Tools { bench, faults, .. } = &mut *self.tools;
        let text = bench.read(bytes);
        let text = text.map_err(|fault| Refusal::new(format!("not JSON: {fault}")))?;
        let valid = !self.judges || validator.check_read(text, bench, faults);
        if !valid {
            keep(&mut desk.faults, faults);
        }
        Ok(Applied {
            data: Lies::InPlace,
            from: None,
            verdict: if valid {
                SchemaVerdict::Valid
            } else {
                SchemaVerdict::Invalid
            },
        })
    }

    fn apply_protobuf(
        &mut self,
        protobuf: &Protobuf,
        bytes: &[u8],
        indexes: Option<&[u8]>,
        desk: &mut Desk,
    ) -> Result<(), Refusal> {
        let mut why = Refusal::new("the indexes of the message lead to none");
        for (message, body) in readings(protobuf, bytes, indexes).into_iter().flatten() {
            desk.out.clear();
            let scratch = &mut self.tools.scratch;
            match protobuf.write_json(message, body, scratch, &mut desk.out) {
                Ok(()) => return Ok(()),
                Err(refusal) => why = refusal,
            }
        }
        Err(why)
    }
}

/// The messages that the bytes may be, the likely one first. The indexes of the message stand in a
/// header, or before the message; without any it is the first. Old producers wrote them in another
/// way, and not all count the messages that map fields bring along.
fn readings<'b>(
    protobuf: &Protobuf,
    bytes: &'b [u8],
    indexes: Option<&[u8]>,
) -> [Option<(MessageId, &'b [u8])>; 3] {
    let at = |read: fn(&[u8]) -> Option<(protobuf::Indexes, usize)>, maps: bool| {
        let (found, body) = match indexes {
            Some([]) => return Some((protobuf.message_at(&[0])?, bytes)),
            Some(header) => (read(header)?.0, bytes),
            None => {
                let (found, end) = read(bytes)?;
                (found, bytes.get(end..)?)
            }
        };
        let message = if maps {
            protobuf.message_at_with_maps(found.as_slice())?
        } else {
            protobuf.message_at(found.as_slice())?
        };
        Some((message, body))
    };
    [
        at(protobuf::read_indexes, false),
        at(protobuf::read_indexes, true),
        at(protobuf::read_indexes_plain, false),
    ]
}
