//! Folders as people lay them out, and as nobody should.

use std::fs;
use std::path::PathBuf;

use super::*;

fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), files);
    let folder = Folder::open(place.path()).unwrap();
    (place, folder)
}

fn write(place: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = place.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn found(answer: Answer) -> Arc<Known> {
    match answer {
        Answer::Found(known) => known,
        other => panic!("{other:?}"),
    }
}

fn why(answer: Answer) -> String {
    match answer {
        Answer::Unavailable(why) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

fn value(topic: &str) -> Wanted<'_> {
    Wanted::of(topic, Side::Value)
}

#[test]
fn the_most_particular_file_is_a_topics_schema() {
    let (_place, folder) = folder(&[
        ("orders.json", "{\"title\":\"all\"}"),
        ("orders/OrderPlaced.json", "{\"title\":\"placed\"}"),
        ("orders-key.avsc", "\"string\""),
        ("payments-value.proto", "syntax = \"proto3\";"),
        ("payments.json", "{}"),
        ("a%2Fb.json", "{\"title\":\"slash\"}"),
    ]);
    let text = |wanted: &Wanted<'_>| found(folder.for_topic(wanted)).source.text.clone();
    assert!(text(&value("orders")).contains("all"));
    let placed = Wanted {
        event_type: Some("OrderPlaced"),
        ..value("orders")
    };
    assert!(text(&placed).contains("placed"));
    let other = Wanted {
        event_type: Some("Other"),
        ..placed
    };
    assert!(text(&other).contains("all"));
    let key = found(folder.for_topic(&Wanted::of("orders", Side::Key)));
    assert_eq!(key.source.language, Language::Avro);
    assert_eq!(
        folder.for_topic(&Wanted::of("payments", Side::Key)),
        Answer::Missing
    );
    let payment = found(folder.for_topic(&value("payments")));
    assert_eq!(payment.source.language, Language::Protobuf);
    let as_json = Wanted {
        language: Some(Language::Json),
        ..value("payments")
    };
    assert_eq!(text(&as_json), "{}");
    assert!(text(&value("a/b")).contains("slash"));
    assert_eq!(folder.for_topic(&value("none")), Answer::Missing);
    let listed = folder.list("orders");
    let listed: Vec<_> = listed
        .iter()
        .map(|p| (p.side, p.event_type.as_deref()))
        .collect();
    assert_eq!(
        listed,
        [
            (Side::Key, None),
            (Side::Value, None),
            (Side::Value, Some("OrderPlaced"))
        ]
    );
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let place = tempfile::tempdir().unwrap();
    write(
        place.path(),
        &[
            ("secret.json", "{}"),
            ("in/orders.json", r#"{"$ref": "../secret.json"}"#),
            ("in/orders.proto", "import \"../secret.proto\";"),
            ("secret.proto", ""),
        ],
    );
    let folder = Folder::open(&place.path().join("in")).unwrap();
    for topic in [
        "../secret",
        "..",
        ".",
        "",
        "/etc/passwd",
        "..\\secret",
        "in/../../secret",
        "a\0b",
    ] {
        let mut wanted = value(topic);
        assert_eq!(folder.for_topic(&wanted), Answer::Missing, "{topic:?}");
        wanted = value("orders");
        wanted.event_type = Some(topic);
        assert!(
            found(folder.for_topic(&wanted))
                .origin
                .ends_with("orders.json")
        );
        assert_eq!(
            folder.by_id(&SchemaId::Name(topic.to_owned())),
            Answer::Missing
        );
    }
    for language in [Language::Json, Language::Protobuf] {
        let wanted = Wanted {
            language: Some(language),
            ..value("orders")
        };
        assert!(
            found(folder.for_topic(&wanted))
                .source
                .references
                .is_empty()
        );
    }
}

#[test]
fn a_broken_file_is_the_trouble_of_its_own_topic() {
    let (place, folder) = folder(&[
        ("good.json", "{}"),
        ("bad.json", "{\"a\": "),
        ("user.json", r#"{"$ref": "bad.json"}"#),
        ("deep.json", &"[".repeat(100_000)),
        ("bytes.avsc", "x"),
    ]);
    fs::write(place.path().join("bytes.avsc"), b"\xff").unwrap();
    let folder = (Folder::open(place.path()).unwrap(), folder).0;
    found(folder.for_topic(&value("good")));
    for topic in ["bad", "deep", "bytes", "user"] {
        let said = why(folder.for_topic(&value(topic)));
        assert!(said.contains(&format!("{topic}.")), "{said}");
    }
    let said = why(folder.for_topic(&value("user")));
    assert!(said.contains("bad.json"), "{said}");
    assert_eq!(folder.left_out().len(), 1, "{:?}", folder.left_out());
}

#[test]
fn references_are_found_in_the_tree_by_path_id_and_full_name() {
    let (_place, folder) = folder(&[
        (
            "orders.json",
            r#"{"$ref": "common/a.json", "not": {"$ref": "https://acme.example/m"}}"#,
        ),
        ("common/a.json", r#"{"$ref": "b.json"}"#),
        ("common/b.json", "{}"),
        ("x/money.json", r#"{"$id": "https://acme.example/m"}"#),
        (
            "payments.avsc",
            r#"{"type":"record","name":"P","namespace":"acme","fields":[{"name":"a","type":"Card"}]}"#,
        ),
        (
            "types/card.avsc",
            r#"{"type":"fixed","name":"acme.Card","size":8}"#,
        ),
        ("ships.proto", "import \"common/c.proto\";"),
        ("common/c.proto", "syntax = \"proto3\";"),
    ]);
    let names = |topic| {
        let known = found(folder.for_topic(&value(topic)));
        let mut names: Vec<_> = known
            .source
            .references
            .iter()
            .map(|r| r.name.clone())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names("orders"),
        ["common/a.json", "common/b.json", "https://acme.example/m"]
    );
    assert_eq!(names("payments"), ["acme.Card"]);
    assert_eq!(names("ships"), ["common/c.proto"]);
}

#[test]
fn one_file_serves_every_topic_with_what_lies_beside_it() {
    let place = tempfile::tempdir().unwrap();
    write(
        place.path(),
        &[
            ("one.json", r#"{"$ref": "two.json#/x"}"#),
            ("two.json", "{}"),
            (
                "alone.json",
                r##"{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/x"}"##,
            ),
            ("no.txt", ""),
        ],
    );
    let open = |name: &str| Folder::open(&place.path().join(name));
    let one = open("one.json").unwrap();
    assert_eq!(
        found(one.for_topic(&value("any"))).source.references[0].name,
        "two.json"
    );
    assert_eq!(
        one.for_topic(&Wanted::of("any", Side::Key)),
        Answer::Missing
    );
    let alone = open("alone.json").unwrap();
    assert_eq!(alone.files.len(), 1, "the folder was read without need");
    assert!(open("no.txt").unwrap_err().0.contains("no.txt"));
    assert!(open("gone.json").unwrap_err().0.contains("gone.json"));
}

#[test]
fn schemas_are_found_by_the_ids_that_bytes_have() {
    // Avro's own test data, share/test/data/schema-tests.txt, has 8247732601305521295 for "int".
    let (_place, folder) = folder(&[
        ("int.avsc", "{ \"type\": \"int\" }"),
        ("f.avsc", r#"{"type":"fixed","name":"Test","size":1}"#),
        ("bad.avsc", "{\"type\":\"recrod\"}"),
        ("ids/17.proto", "syntax = \"proto3\";"),
        ("ids/00112233-4455-6677-8899-aabbccddeeff.json", "{}"),
        ("ids/a1b2.avsc", "\"long\""),
        ("x/part.avsc", r#"{"type":"fixed","name":"Part","size":1}"#),
        (
            "x/whole.avsc",
            r#"{"type":"record","name":"W","fields":[{"name":"p","type":"Part"}]}"#,
        ),
    ]);
    let guid = std::array::from_fn(|at| at as u8 * 17);
    for (id, path) in [
        (SchemaId::Fingerprint(8_247_732_601_305_521_295), "int.avsc"),
        // Of the canonical form with the type that another file has in its place.
        (SchemaId::Fingerprint(0x8fec_0623_7bc2_f857), "whole.avsc"),
        (SchemaId::Number(17), "17.proto"),
        (SchemaId::Guid(guid), "ff.json"),
        (SchemaId::Name("a1b2".into()), "a1b2.avsc"),
    ] {
        let known = found(folder.by_id(&id));
        assert!(known.origin.ends_with(path), "{}", known.origin);
        assert_eq!(known.id, Some(id));
    }
    assert_eq!(folder.by_id(&SchemaId::Fingerprint(1)), Answer::Missing);
    assert_eq!(folder.by_id(&SchemaId::Number(18)), Answer::Missing);
}

#[test]
fn what_is_too_large_or_too_much_is_left_out_and_named() {
    let place = tempfile::tempdir().unwrap();
    let large = "x".repeat((10 << 20) + 1);
    write(place.path(), &[("a.json", "{}"), ("b.json", &large)]);
    for n in 0..1000 {
        fs::write(place.path().join(format!("n{n:04}.json")), "{}").unwrap();
    }
    let folder = Folder::open(place.path()).unwrap();
    found(folder.for_topic(&value("a")));
    assert!(why(folder.for_topic(&value("b"))).contains("10 MiB"));
    let left = folder.left_out();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left[0].contains("b.json"), "{left:?}");
    assert!(left[1].contains("n0998.json"), "{left:?}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_circles_of_them_end() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), &[("s/a.json", "{}"), ("other/b.json", "{}")]);
    let link = |to: &str, from: &str| {
        std::os::unix::fs::symlink(place.path().join(to), place.path().join(from)).unwrap();
    };
    link("s", "s/again");
    link("other", "s/other");
    link("nowhere", "s/gone.json");
    let folder = Folder::open(&place.path().join("s")).unwrap();
    found(folder.for_topic(&value("a")));
    let typed = Wanted {
        event_type: Some("b"),
        ..value("other")
    };
    found(folder.for_topic(&typed));
    assert_eq!(folder.files.len(), 2);
}

#[test]
fn a_folder_without_schemas_is_an_error_that_says_what_was_sought() {
    let place = tempfile::tempdir().unwrap();
    let error = Folder::open(place.path()).unwrap_err();
    assert!(error.0.contains("TOPIC.avsc"), "{error}");
    assert!(Folder::open(&PathBuf::from("/nonexistent/x")).is_err());
}
