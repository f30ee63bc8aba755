//! AsyncAPI documents of both versions, as people write them and as nobody should.

use std::fs;

use super::*;

fn document(files: &[(&str, &str)]) -> (tempfile::TempDir, AsyncApi) {
    let place = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let opened = AsyncApi::open(&place.path().join(files[0].0)).unwrap();
    (place, opened)
}

fn value<'a>(topic: &'a str, event_type: Option<&'a str>) -> Wanted<'a> {
    Wanted {
        event_type,
        ..Wanted::of(topic, Side::Value)
    }
}

fn found(answer: &Answer) -> Arc<Known> {
    match answer {
        Answer::Found(known) => Arc::clone(known),
        other => panic!("{other:?}"),
    }
}

fn why(answer: &Answer) -> &str {
    match answer {
        Answer::Unavailable(why) => why,
        other => panic!("{other:?}"),
    }
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&found(answer).source.text).unwrap()
}

/// Validates as the rest of evtap would, with the references under the names that they have.
fn accepts(answer: &Answer, instance: &Value) -> bool {
    let known = found(answer);
    let schema: Value = serde_json::from_str(&known.source.text).unwrap();
    let mut options = jsonschema::options().with_base_uri("evtap:///root.json");
    let mut registry = jsonschema::Registry::new();
    for reference in &known.source.references {
        let text: Value = serde_json::from_str(&reference.text).unwrap();
        let uri = format!("evtap:///{}", reference.name);
        registry = registry.add(uri, text).unwrap();
    }
    let registry = registry.prepare().unwrap();
    options = options.with_registry(&registry);
    options.build(&schema).unwrap().is_valid(instance)
}

const VERSION_3: &str = r#"
asyncapi: 3.0.0
defaultContentType: application/json
channels:
  orders:
    address: shop.orders
    messages:
      placed: { $ref: '#/components/messages/OrderPlaced' }
      cancelled:
        name: OrderCancelled
        x-event-type: cancelled.v1
        payload:
          type: object
          required: [reason]
          properties:
            reason: { type: string }
            order: { $ref: '#/components/schemas/Order' }
  payments:
    address: 'pay.{tenant}.done'
    messages:
      paid:
        contentType: avro/binary
        bindings:
          kafka:
            key: { type: string, pattern: '^p' }
            schemaIdLocation: payload
            schemaIdPayloadEncoding: confluent
            schemaLookupStrategy: TopicIdStrategy
        payload:
          schemaFormat: application/vnd.apache.avro;version=1.9.0
          schema: { type: record, name: Paid, fields: [{ name: id, type: long }] }
  unknown: { address: null, messages: {} }
  ships:
    address: ships
    bindings: { kafka: { topic: shop.ships } }
    messages:
      a: { payload: { schemaFormat: application/vnd.google.protobuf;version=3, schema: 'syntax = "proto3";' } }
components:
  messageTraits:
    common: { contentType: application/cloudevents+json, title: Trait title }
  messages:
    OrderPlaced:
      title: Own title
      traits: [{ $ref: '#/components/messageTraits/common' }]
      headers: { properties: { ce_type: { const: com.acme.order.placed } } }
      payload: { $ref: '#/components/schemas/Order' }
  schemas:
    Order:
      type: object
      required: [id]
      properties:
        id: { type: integer }
        lines: { type: array, items: { $ref: '#/components/schemas/Line' } }
    Line:
      type: object
      properties: { of: { $ref: '#/components/schemas/Order' }, n: { type: integer } }
    Unused: { type: string }
"#;

#[test]
fn version_3_has_topics_by_address_and_messages_by_any_of_their_names() {
    let (_place, api) = document(&[("asyncapi.yaml", VERSION_3)]);
    assert_eq!(api.problems(), &[] as &[String]);
    for name in [
        "placed",
        "OrderPlaced",
        "Own title",
        "com.acme.order.placed",
    ] {
        let answer = api.for_topic(&value("shop.orders", Some(name)));
        let schema = json(&answer);
        assert_eq!(schema["required"][0], "id", "{name}");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert!(schema.pointer("/components/schemas/Unused").is_none());
        assert!(accepts(
            &answer,
            &serde_json::json!({"id": 1, "lines": [{"n": 1}]})
        ));
        assert!(!accepts(
            &answer,
            &serde_json::json!({"id": 1, "lines": [{"n": "x"}]})
        ));
    }
    for name in ["OrderCancelled", "cancelled", "cancelled.v1"] {
        let answer = api.for_topic(&value("shop.orders", Some(name)));
        assert_eq!(json(&answer)["required"][0], "reason", "{name}");
    }
    assert_eq!(api.for_topic(&value("orders", None)), Answer::Missing);
    assert_eq!(
        api.hints("shop.orders").content_type.as_deref(),
        Some("application/cloudevents+json")
    );
}

#[test]
fn without_a_type_exactly_one_of_the_messages_fits() {
    let (_place, api) = document(&[("asyncapi.yaml", VERSION_3)]);
    let answer = api.for_topic(&value("shop.orders", Some("unheard of")));
    for (instance, valid) in [
        (serde_json::json!({"id": 1}), true),
        (serde_json::json!({"reason": "x", "order": {"id": 2}}), true),
        (
            serde_json::json!({"reason": "x", "order": {"id": "2"}}),
            false,
        ),
        (serde_json::json!({"reason": 1}), false),
        (serde_json::json!({"id": 1, "reason": "x"}), false),
    ] {
        assert_eq!(accepts(&answer, &instance), valid, "{instance}");
    }
    assert_eq!(answer, api.for_topic(&value("shop.orders", None)));
}

#[test]
fn avro_protobuf_keys_and_hints_are_kept() {
    let (_place, api) = document(&[("asyncapi.yaml", VERSION_3)]);
    let paid = found(&api.for_topic(&value("pay.acme.done", None)));
    assert_eq!(paid.source.language, Language::Avro);
    assert!(
        paid.source.text.contains("\"name\":\"Paid\""),
        "{}",
        paid.source.text
    );
    assert_eq!(api.for_topic(&value("pay.a.b.done", None)), Answer::Missing);
    let key = api.for_topic(&Wanted::of("pay.acme.done", Side::Key));
    assert!(accepts(&key, &serde_json::json!("p1")));
    assert!(!accepts(&key, &serde_json::json!("q1")));
    assert_eq!(
        api.for_topic(&Wanted::of("shop.orders", Side::Key)),
        Answer::Missing
    );
    let hints = api.hints("pay.acme.done");
    assert_eq!(hints.content_type.as_deref(), Some("avro/binary"));
    assert_eq!(hints.schema_id_location.as_deref(), Some("payload"));
    assert_eq!(
        hints.schema_id_payload_encoding.as_deref(),
        Some("confluent")
    );
    assert_eq!(
        hints.schema_lookup_strategy.as_deref(),
        Some("TopicIdStrategy")
    );
    let ship = found(&api.for_topic(&value("shop.ships", None)));
    assert_eq!(ship.source.language, Language::Protobuf);
    let only_json = Wanted {
        language: Some(Language::Json),
        ..value("shop.ships", None)
    };
    assert_eq!(api.for_topic(&only_json), Answer::Missing);
    let listed = api.list("pay.acme.done");
    let listed: Vec<_> = listed
        .iter()
        .map(|l| (l.side, l.event_type.as_deref()))
        .collect();
    assert_eq!(
        listed,
        [(Side::Key, Some("paid")), (Side::Value, Some("paid"))]
    );
}

#[test]
fn version_2_has_messages_in_operations_and_its_traits_win() {
    let (_place, api) = document(&[(
        "api.json",
        r##"{"asyncapi": "2.6.0", "channels": {
            "orders": {
                "publish": {"message": {"oneOf": [
                    {"$ref": "#/components/messages/A"},
                    {"messageId": "b", "payload": {"type": "integer"}}]}},
                "subscribe": {"message": {"$ref": "#/components/messages/A"}}},
            "raml": {"publish": {"message": {
                "schemaFormat": "application/raml+yaml;version=1.0", "payload": {}}}},
            "old": {"publish": {"message": {
                "schemaFormat": "application/schema+json;version=draft-04", "payload": {"type": "null"}}}}},
          "components": {"messages": {"A": {"name": "own", "contentType": "x/own",
              "traits": [{"name": "trait", "contentType": null}], "payload": {"type": "string"}}}}}"##,
    )]);
    assert_eq!(api.list("orders").len(), 2);
    for (name, kind) in [("trait", "string"), ("A", "string"), ("b", "integer")] {
        let schema = json(&api.for_topic(&value("orders", Some(name))));
        assert_eq!(schema["type"], kind, "{name}");
    }
    assert_eq!(api.hints("orders").content_type, None);
    let said = api.for_topic(&value("raml", None));
    assert!(why(&said).contains("raml"), "{said:?}");
    let old = json(&api.for_topic(&value("old", None)));
    assert_eq!(old["$schema"], "http://json-schema.org/draft-04/schema#");
}

#[test]
fn other_files_are_read_beside_the_document_and_nowhere_else() {
    let place = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("secret.json", r#"{"type": "string"}"#);
    write(
        "api/asyncapi.yaml",
        r"
asyncapi: 3.0.0
channels:
  a: { address: a, messages: { m: { $ref: 'messages.yaml#/m' } } }
  b: { address: b, messages: { m: { payload: { $ref: 'schemas/b.json' } } } }
  c: { address: c, messages: { m: { payload: { $ref: '../secret.json' } } } }
  d: { address: d, messages: { m: { payload: { $ref: 'gone.json' } } } }
  e:
    address: e
    messages:
      one: { payload: { $ref: 'schemas/b.json' } }
      two: { payload: { type: string } }
      three: { payload: { type: string } }
      four: { payload: { $ref: 'schemas/b.json' } }
  p: { address: p, messages: { m: { payload: { schemaFormat: protobuf, schema: { $ref: 'p.proto' } } } } }
",
    );
    write(
        "api/messages.yaml",
        "m: { payload: { $ref: '#/s' } }\ns: { properties: { x: { $ref: 'schemas/b.json#/definitions/n' }, y: { $ref: '#/s' } } }\n",
    );
    write(
        "api/schemas/b.json",
        r##"{"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/definitions/n"}, "y": {"$ref": "more.yaml"}}, "definitions": {"n": {"type": "integer"}}}"##,
    );
    write("api/schemas/more.yaml", "type: boolean\n");
    write("api/p.proto", "syntax = \"proto3\";");
    let api = AsyncApi::open(&place.path().join("api/asyncapi.yaml")).unwrap();
    let ask = |topic| api.for_topic(&value(topic, None));
    for (topic, instance, valid) in [
        ("a", r#"{"x": 1, "y": {"x": 2}}"#, true),
        ("a", r#"{"x": 1, "y": {"x": ""}}"#, false),
        ("b", r#"{"n": 1, "y": true}"#, true),
        ("b", r#"{"n": 1, "y": 1}"#, false),
        ("e", r#"{"n": 1}"#, true),
    ] {
        let instance: Value = serde_json::from_str(instance).unwrap();
        assert_eq!(accepts(&ask(topic), &instance), valid, "{topic} {instance}");
    }
    assert_eq!(found(&ask("p")).source.text, "syntax = \"proto3\";");
    for topic in ["c", "d"] {
        assert!(
            why(&ask(topic)).contains("leads nowhere"),
            "{:?}",
            ask(topic)
        );
    }
    let problems = api.problems().join("\n");
    assert!(
        problems.contains("../secret.json: it lies outside"),
        "{problems}"
    );
    assert!(
        problems.contains("gone.json: it cannot be read"),
        "{problems}"
    );
}

#[test]
fn a_schema_whose_copies_would_get_in_its_way_moves_below() {
    let (_place, api) = document(&[
        (
            "api.yaml",
            "asyncapi: 3.0.0\nchannels: { o: { address: o, messages: { m: { payload: { $ref: 's.json#/definitions/Order' } } } } }\n",
        ),
        (
            "s.json",
            r##"{"definitions": {
                "Order": {"definitions": {"Own": {"type": "null"}}, "type": "object", "properties": {
                    "a": {"$ref": "#/definitions/Own"}, "b": {"$ref": "#/lists/0"},
                    "c": {"$ref": "#/definitions/Order"}}},
                "Own": {"type": "integer"}}, "lists": [{"type": "boolean"}]}"##,
        ),
    ]);
    let answer = api.for_topic(&value("o", None));
    assert!(accepts(
        &answer,
        &serde_json::json!({"a": 1, "b": true, "c": {"a": 2}})
    ));
    for wrong in [
        serde_json::json!({"a": null}),
        serde_json::json!({"b": 1}),
        serde_json::json!({"c": {"b": 1}}),
        serde_json::json!(1),
    ] {
        assert!(!accepts(&answer, &wrong), "{wrong}");
    }
}

#[test]
fn circles_and_gaps_are_told_and_spare_the_others() {
    let (_place, api) = document(&[(
        "api.yaml",
        r"
asyncapi: 3.0.0
channels:
  good: { address: good, messages: { m: { payload: true } } }
  circle: { address: circle, messages: { m: { $ref: '#/components/messages/a' } } }
  gap: { address: gap, messages: { m: { $ref: '#/components/messages/none' } } }
  inner: { address: inner, messages: { m: { payload: { properties: { x: { $ref: '#/nowhere' } } } } } }
  lost: { $ref: '#/components/channels/none' }
  schema: { address: schema, messages: { m: { payload: { $ref: '#/components/schemas/s' } } } }
components:
  messages: { a: { $ref: '#/components/messages/b' }, b: { $ref: '#/components/messages/a' } }
  schemas: { s: { $ref: '#/components/schemas/t' }, t: { $ref: '#/components/schemas/s' } }
",
    )]);
    found(&api.for_topic(&value("good", None)));
    for (topic, said) in [
        ("circle", "circle"),
        ("gap", "#/components/messages/none leads nowhere"),
        ("inner", "#/nowhere leads nowhere"),
        ("schema", "circle"),
    ] {
        let answer = api.for_topic(&value(topic, None));
        assert!(why(&answer).contains(said), "{answer:?}");
    }
    assert!(
        api.problems()[0].contains("channel lost"),
        "{:?}",
        api.problems()
    );
}

#[test]
fn hostile_documents_are_refused_quickly() {
    let mut bomb = "asyncapi: 3.0.0\na0: &a0 [x]\n".to_owned();
    for n in 1..30 {
        let before = format!("*a{}", n - 1);
        let line = format!("a{n}: &a{n} [{before}, {before}, {before}, {before}]\n");
        bomb += &line;
    }
    let deep = format!(
        "asyncapi: 3.0.0\nx: {}{}\n",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let mut deep_blocks = String::new();
    for n in 0..2000 {
        deep_blocks += &" ".repeat(n);
        deep_blocks += "a:\n";
    }
    for (name, text) in [
        ("bomb.yaml", bomb),
        ("deep.yaml", deep.clone()),
        ("blocks.yaml", deep_blocks),
        ("deep.json", deep),
        ("old.yaml", "asyncapi: 1.2.0\n".to_owned()),
        ("number.yaml", "asyncapi: 3\n".to_owned()),
        ("none.yaml", "openapi: 3.0.0\n".to_owned()),
        ("list.yaml", "- 1\n".to_owned()),
        ("empty.yaml", String::new()),
    ] {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(name);
        fs::write(&path, text).unwrap();
        let before = std::time::Instant::now();
        let error = AsyncApi::open(&path).unwrap_err();
        assert!(error.0.contains(name), "{error}");
        assert!(
            before.elapsed().as_secs() < 5,
            "{name}: {:?}",
            before.elapsed()
        );
    }
}
