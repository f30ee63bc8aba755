//! The JSON Schemas of the embedded broker's topics, which it serves as a registry would: one a
//! topic, two of orders, chosen by the header `schema-version`. And the model of its saga.

/// What must follow what in the order pipeline, in YAML.
pub const SAGA: &str = include_str!("saga.yaml");

/// A schema that comes with the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoSchema {
    pub topic: &'static str,
    pub version: u32,
    /// JSON Schema 2020-12.
    pub text: &'static str,
}

const fn schema(topic: &'static str, version: u32, text: &'static str) -> DemoSchema {
    DemoSchema {
        topic,
        version,
        text,
    }
}

const PAYMENTS: &str = include_str!("schemas/payments.json");

/// All of them, by topic and version.
pub const SCHEMAS: &[DemoSchema] = &[
    schema(
        "notifications",
        1,
        include_str!("schemas/notifications.json"),
    ),
    schema("order-events", 1, include_str!("schemas/order-events.json")),
    schema(
        "order-validation",
        1,
        include_str!("schemas/order-validation.json"),
    ),
    schema("orders", 1, include_str!("schemas/orders-1.json")),
    schema("orders", 2, include_str!("schemas/orders-2.json")),
    schema("payments", 1, PAYMENTS),
    // Dead letters are payments.
    schema("payments.dlq", 1, PAYMENTS),
    schema("shipments", 1, include_str!("schemas/shipments.json")),
];
