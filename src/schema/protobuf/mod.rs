//! Protobuf: messages as JSON text, by descriptors or as raw fields. Framing lives in `formats`.
