//! Avro: binary data as JSON text, by a parsed schema. Framing lives in `formats`.
