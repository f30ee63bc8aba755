//! Reading Kafka by speaking its protocol ourselves: no librdkafka between the wire and the
//! events, and every batch header in hand. Only for reading: groups, administration and writing
//! go through librdkafka.

mod answers;
mod connection;
mod sasl;
mod settings;
mod transport;
mod wire;
