//! JSON Schema: documents compiled once, and values checked by them.
