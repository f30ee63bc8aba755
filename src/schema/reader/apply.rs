//! What a schema that was found makes of bytes.

use super::Desk;
use super::made::{Data, Made};
use super::work::{Tools, Work};
use crate::event::{Format, SchemaFault, SchemaVerdict, decode};
use crate::schema::Refusal;
use crate::schema::json::{Faults, Validator};
use crate::schema::protobuf::{self, MessageId, Protobuf};
use crate::schema::schemas::{Compiled, Ready};

/// What a schema made of bytes.
struct Applied {
    data: Lies,
    from: Option<&'static str>,
    verdict: SchemaVerdict,
}

enum Lies {
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
    fn apply(
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

    fn apply_to(
        &mut self,
        ready: &Ready,
        bytes: &[u8],
        indexes: Option<&[u8]>,
        desk: &mut Desk,
    ) -> Result<Applied, Refusal> {
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
        let none = || Refusal::new("the indexes of the message lead to none");
        let readings = [protobuf::read_indexes, protobuf::read_indexes_plain];
        let mut why = none();
        for read in readings {
            // In headers, or before the message; of a topic's own schema the first message.
            let (message, body) = match indexes {
                Some([]) => (protobuf.message_at(&[0]), bytes),
                Some(header) => {
                    let found = read(header);
                    let found = found.and_then(|(i, _)| protobuf.message_at(i.as_slice()));
                    (found, bytes)
                }
                None => match read(bytes) {
                    Some((i, at)) => (
                        protobuf.message_at(i.as_slice()),
                        bytes.get(at..).unwrap_or_default(),
                    ),
                    None => (None, bytes),
                },
            };
            let Some(message) = message else { continue };
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
