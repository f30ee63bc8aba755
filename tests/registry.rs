//! Schemas with references, filed in a real registry over HTTP, found again by id, by topic and
//! as a list of versions. Without the variable each test says that it is skipped; with
//! `EVTAP_TEST_REQUIRE` it fails.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use evtap::event::Timestamp;
use evtap::schema::Language;
use evtap::schema::sources::{Answer, Known, SchemaId, Settings, Side, Sources, Wanted};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

/// A registry, and names that no earlier run has used.
struct Filing {
    url: String,
    prefix: String,
}

impl Filing {
    fn start(test: &str) -> Option<Self> {
        let url = support::server("EVTAP_TEST_SCHEMA_REGISTRY")?;
        let now = Timestamp::wall_clock().0;
        let prefix = format!("{test}-{now}-{}", std::process::id());
        Some(Self { url, prefix })
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Files a schema under a subject of ours; its id.
    fn file(&self, subject: &str, kind: &str, schema: &str, references: &[(&str, &str)]) -> u32 {
        let references: Vec<Value> = references
            .iter()
            .map(|(name, subject)| json!({"name": name, "subject": self.name(subject), "version": 1}))
            .collect();
        let body = json!({"schemaType": kind, "schema": schema, "references": references});
        let url = format!("{}/subjects/{}/versions", self.url, self.name(subject));
        let mut answer = ureq::post(&url)
            .header("Content-Type", "application/vnd.schemaregistry.v1+json")
            .send(&body.to_string())
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        told["id"].as_u64().unwrap().try_into().unwrap()
    }

    fn open(&self) -> Sources {
        Sources::open(&self.url, &Settings::new(&BTreeMap::new()).unwrap()).unwrap()
    }
}

fn found(answer: Answer) -> Arc<Known> {
    match answer {
        Answer::Found(known) => known,
        other => panic!("{other:?}"),
    }
}

/// By its id and by its topic the same schema comes, with the references that it was filed with.
fn both_ways(filing: &Filing, topic: &str, id: u32, language: Language) -> Arc<Known> {
    let sources = filing.open();
    let topic = filing.name(topic);
    let by_id = found(sources.wait(&SchemaId::Number(id), PATIENCE));
    let wanted = Wanted::of(&topic, Side::Value);
    assert_eq!(sources.for_topic(&wanted), Answer::Pending);
    let by_topic = found(sources.wait_for_topic(&wanted, PATIENCE));
    assert_eq!(by_id.source, by_topic.source);
    assert_eq!(by_id.source.language, language);
    assert_eq!(by_topic.subject, Some(format!("{topic}-value")));
    assert_eq!(by_id.subject, by_topic.subject);
    assert_eq!(by_topic.id, Some(SchemaId::Number(id)));
    by_id
}

fn names(known: &Known) -> Vec<&str> {
    known
        .source
        .references
        .iter()
        .map(|r| r.name.as_str())
        .collect()
}

#[test]
fn avro_comes_back_with_its_references_and_versions() {
    let Some(filing) = Filing::start("avro") else {
        return;
    };
    let space = filing.prefix.replace('-', "_");
    let text = |name: &str, fields: Value| {
        json!({"type": "record", "name": name, "namespace": space, "fields": fields}).to_string()
    };
    let money = text("Money", json!([{"name": "cents", "type": "long"}]));
    filing.file("money", "AVRO", &money, &[]);
    let money_name = format!("{space}.Money");
    let line = text("Line", json!([{"name": "price", "type": money_name}]));
    filing.file("line", "AVRO", &line, &[(&money_name, "money")]);
    let line_name = format!("{space}.Line");
    let lines = json!({"name": "lines", "type": {"type": "array", "items": line_name}});
    let first = text("Order", json!([lines]));
    let reference = [(line_name.as_str(), "line")];
    filing.file("orders-value", "AVRO", &first, &reference);
    let note = json!({"name": "note", "type": "string", "default": ""});
    let second = text("Order", json!([lines, note]));
    let id = filing.file("orders-value", "AVRO", &second, &reference);

    let known = both_ways(&filing, "orders", id, Language::Avro);
    assert_eq!(names(&known), [money_name.as_str(), line_name.as_str()]);
    assert_eq!(known.version, Some(2));
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parsed(&known.source.text), parsed(&second));
    assert_eq!(parsed(&known.source.references[0].text), parsed(&money));
    assert_eq!(parsed(&known.source.references[1].text), parsed(&line));

    let listed = filing
        .open()
        .list(&filing.name("orders"), PATIENCE)
        .unwrap();
    let versions: Vec<_> = listed
        .iter()
        .map(|l| l.answer.known().unwrap().version)
        .collect();
    assert_eq!(versions, [Some(1), Some(2)]);
}

#[test]
fn json_comes_back_with_its_references() {
    let Some(filing) = Filing::start("json") else {
        return;
    };
    let uri = format!("https://acme.example/{}/address.json", filing.prefix);
    let address = json!({"$id": uri, "type": "object", "properties": {"city": {"type": "string"}}});
    filing.file("address", "JSON", &address.to_string(), &[]);
    let customer = json!({"type": "object", "properties": {"address": {"$ref": uri}}});
    let id = filing.file(
        "customers-value",
        "JSON",
        &customer.to_string(),
        &[(&uri, "address")],
    );
    let known = both_ways(&filing, "customers", id, Language::Json);
    assert_eq!(names(&known), [uri.as_str()]);
    assert_eq!(
        serde_json::from_str::<Value>(&known.source.text).unwrap(),
        customer
    );
}

#[test]
fn protobuf_comes_back_with_its_imports() {
    let Some(filing) = Filing::start("proto") else {
        return;
    };
    let package = filing.prefix.replace('-', "_");
    let money =
        format!("syntax = \"proto3\";\npackage {package};\nmessage Money {{ int64 cents = 1; }}\n");
    filing.file("money", "PROTOBUF", &money, &[]);
    let order = format!(
        "syntax = \"proto3\";\npackage {package};\nimport \"money.proto\";\nmessage Order {{ Money total = 1; }}\n"
    );
    let id = filing.file(
        "orders-value",
        "PROTOBUF",
        &order,
        &[("money.proto", "money")],
    );
    let known = both_ways(&filing, "orders", id, Language::Protobuf);
    assert_eq!(names(&known), ["money.proto"]);
    assert!(
        known.source.text.contains("message Order"),
        "{}",
        known.source.text
    );
    assert!(known.source.references[0].text.contains("message Money"));
}

#[test]
fn what_is_not_there_is_missing_and_apicurios_global_ids_are_found() {
    let Some(filing) = Filing::start("ids") else {
        return;
    };
    let id = filing.file(
        "orders-value",
        "AVRO",
        &json!({
            "type": "enum", "name": filing.prefix.replace('-', "_"), "symbols": ["A"]
        })
        .to_string(),
        &[],
    );
    let sources = filing.open();
    for missing in [
        SchemaId::Number(u32::MAX >> 1),
        SchemaId::Guid([7; 16]),
        SchemaId::Long(u64::MAX >> 1),
        SchemaId::Fingerprint(7),
    ] {
        assert_eq!(
            sources.wait(&missing, PATIENCE),
            Answer::Missing,
            "{missing:?}"
        );
    }
    let nobody = filing.name("nobody");
    let wanted = Wanted::of(&nobody, Side::Value);
    assert_eq!(sources.wait_for_topic(&wanted, PATIENCE), Answer::Missing);
    assert_eq!(sources.registry_state().unwrap().failing, None);

    let Ok(native) = std::env::var("EVTAP_TEST_APICURIO") else {
        return;
    };
    let url = format!(
        "{native}/search/versions?artifactId={}",
        filing.name("orders-value")
    );
    let text = ureq::get(&url)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let told: Value = serde_json::from_str(&text).unwrap();
    let global = told["versions"][0]["globalId"].as_u64().unwrap();
    let known = found(sources.wait(&SchemaId::Long(global), PATIENCE));
    assert_eq!(known.id, Some(SchemaId::Long(global)));
    let by_number = found(sources.wait(&SchemaId::Number(id), PATIENCE));
    assert_eq!(known.source, by_number.source);
}

/// A plan keeps by which schema its events are taken, and does not run by another one unasked.
#[test]
fn a_plan_is_not_applied_by_another_version_unasked() {
    let Some(filing) = Filing::start("plan") else {
        return;
    };
    // The second takes more than the first: else the registry would not have it.
    let schema = |types: &[&str]| {
        json!({"type": "object", "properties": {"a": {"type": types}}}).to_string()
    };
    let id = filing.file("orders-value", "JSON", &schema(&["integer"]), &[]);
    let dir = tempfile::tempdir().unwrap();
    let evtap = |args: &[&str]| {
        let mut command = support::evtap();
        command.env("EVTAP_STATE", dir.path().join("state"));
        command.env("XDG_CACHE_HOME", dir.path().join("cache"));
        let ran = command.current_dir(dir.path()).args(args).output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    let line = json!({"topic": filing.name("orders"), "value": {"a": 1}});
    std::fs::write(dir.path().join("in.jsonl"), format!("{line}\n")).unwrap();
    let (code, err) = evtap(&[
        "replay",
        "./in.jsonl",
        "--schemas",
        &filing.url,
        "-w",
        ".schema.verdict == \"valid\"",
        "--to",
        "./copy.jsonl",
        "--plan-out",
        "p.toml",
    ]);
    assert_eq!(code, Some(0), "{err}");
    let plan = std::fs::read_to_string(dir.path().join("p.toml")).unwrap();
    let subject = filing.name("orders-value");
    for fact in [
        format!("subject = \"{subject}\""),
        "version = 1".to_owned(),
        format!("id = \"{id}\""),
        "sha256 = ".to_owned(),
    ] {
        assert!(plan.contains(&fact), "{fact} in {plan}");
    }
    filing.file("orders-value", "JSON", &schema(&["integer", "string"]), &[]);
    let (code, err) = evtap(&["apply", "p.toml", "--yes"]);
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains("guard schemas"), "{err}");
    assert!(err.contains("version 1"), "{err}");
    assert!(err.contains("version 2"), "{err}");
    assert!(!dir.path().join("copy.jsonl").exists());
    let (code, err) = evtap(&["apply", "p.toml", "--yes", "--accept-schemas"]);
    assert_eq!(code, Some(0), "{err}");
}
