//! The registry's client against a server that answers well, badly, slowly or not at all.

#[cfg(feature = "https")]
mod tls;

use std::net::TcpListener;
use std::path::Path;
use std::thread;

use serde_json::json;

use super::memory::PAUSE;
use super::mock::{Hands, Mock, Reply};
use super::*;
use crate::schema::Language;

const LONG: Duration = Duration::from_mins(1);
const CANARY: &str = "canary-4711";

fn open(url: &str) -> (Registry, Hands) {
    open_with(url, &Settings::default())
}

fn open_with(url: &str, settings: &Settings) -> (Registry, Hands) {
    open_for(LONG, url, settings)
}

fn open_for(patience: Duration, url: &str, settings: &Settings) -> (Registry, Hands) {
    let hands = Hands::default();
    let mut client = Client::new(url, settings).unwrap();
    client.patience = patience;
    let registry = Registry::start(client, settings, hands.clock()).unwrap();
    (registry, hands)
}

fn with_login(url: &str) -> String {
    url.replace("http://", &format!("http://me:{CANARY}@"))
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

const SEVEN: SchemaId = SchemaId::Number(7);

fn seven(mock: &Mock) {
    mock.json("/schemas/ids/7", &json!({"schema": "\"string\""}));
    mock.json(
        "/schemas/ids/7/versions",
        &json!([{"subject": "orders-value", "version": 2}]),
    );
}

#[test]
fn a_schema_is_found_by_its_id_with_its_subject() {
    let mock = Mock::start();
    seven(&mock);
    let (registry, _) = open(&with_login(&mock.url));
    assert_eq!(registry.by_id(&SEVEN), Answer::Pending);
    let known = found(registry.wait(&SEVEN, LONG));
    assert_eq!(known.source.language, Language::Avro);
    assert_eq!(known.source.text, "\"string\"");
    assert_eq!(known.subject.as_deref(), Some("orders-value"));
    assert_eq!((known.version, &known.origin), (Some(2), &mock.url));
    assert_eq!(registry.by_id(&SEVEN), Answer::Found(known));
    assert_eq!(mock.count("/schemas/ids/7"), 1);
    let request = mock.requests("/schemas/ids/7").remove(0).to_lowercase();
    assert!(
        request.contains("authorization: basic bwu6y2fuyxj5ltq3mte="),
        "{request}"
    );
    assert!(!format!("{registry:?}").contains(CANARY));
    assert_eq!(registry.state(), RegistryState::default());
}

#[test]
fn guids_versions_and_lists_are_asked_for_by_their_paths() {
    let mock = Mock::start();
    let guid = SchemaId::Guid([0xab; 16]);
    mock.json(
        &format!("/schemas/guids/{guid}"),
        &json!({"schema": "{}", "schemaType": "JSON"}),
    );
    mock.json("/subjects/a%2Fb/versions", &json!([1, 2]));
    mock.json(
        "/subjects/a%2Fb/versions/2",
        &json!({"subject": "a/b", "version": 2, "id": 9, "schema": "x", "schemaType": "PROTOBUF"}),
    );
    mock.json("/subjects", &json!(["a/b", "c"]));
    let (registry, _) = open(&mock.url);
    assert_eq!(
        found(registry.wait(&guid, LONG)).source.language,
        Language::Json
    );
    assert_eq!(*registry.versions("a/b", LONG).unwrap(), [1, 2]);
    assert!(registry.versions("none", LONG).unwrap().is_empty());
    assert_eq!(*registry.subjects(LONG).unwrap(), ["a/b", "c"]);
    let known = found(registry.subject_version("a/b", 2, LONG));
    assert_eq!(known.id, Some(SchemaId::Number(9)));
    assert_eq!(known.source.language, Language::Protobuf);
}

#[test]
fn references_are_followed_with_circles_and_what_others_build_on_comes_first() {
    let mock = Mock::start();
    let link = |name: &str| json!({"name": name, "subject": name, "version": 1});
    mock.json(
        "/schemas/ids/7",
        &json!({"schema": "root", "references": [link("a"), link("b")]}),
    );
    for (name, uses) in [("a", "b"), ("b", "c"), ("c", "a")] {
        mock.json(
            &format!("/subjects/{name}/versions/1"),
            &json!({"schema": format!("text {name}"), "references": [link(uses)]}),
        );
    }
    let (registry, _) = open(&mock.url);
    let known = found(registry.wait(&SEVEN, LONG));
    let names: Vec<_> = known
        .source
        .references
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(names, ["c", "b", "a"]);
    assert_eq!(known.source.references[0].text, "text c");
    assert_eq!(mock.count("/subjects/a/versions/1"), 1);
}

#[test]
fn a_reference_that_is_missing_is_named_and_endless_ones_are_refused() {
    let mock = Mock::start();
    let link = |n: usize| json!([{"name": format!("n{n}"), "subject": "s", "version": n}]);
    mock.json(
        "/schemas/ids/7",
        &json!({"schema": "x", "references": link(9999)}),
    );
    mock.json(
        "/schemas/ids/8",
        &json!({"schema": "x", "references": link(0)}),
    );
    for n in 0..300 {
        mock.json(
            &format!("/subjects/s/versions/{n}"),
            &json!({"schema": "x", "references": link(n + 1)}),
        );
    }
    let (registry, _) = open(&mock.url);
    let said = why(registry.wait(&SEVEN, LONG));
    assert!(said.contains("version 9999 of the subject s"), "{said}");
    let said = why(registry.wait(&SchemaId::Number(8), LONG));
    assert!(said.contains("too many") || said.contains("200"), "{said}");
    assert!(mock.total() < 250, "{}", mock.total());
}

#[test]
fn what_fails_is_asked_for_once_a_minute_by_however_many() {
    for (reply, said) in [
        (
            Reply::Json(401, format!(r#"{{"message":"bad {CANARY}"}}"#)),
            "login (401): bad ***",
        ),
        (Reply::Json(403, "{}".into()), "403"),
        (
            Reply::Json(500, r#"{"message":"disk full"}"#.into()),
            "(500): disk full",
        ),
        (Reply::Json(200, "<html>".into()), "no JSON"),
        (
            Reply::Json(200, "{}".into()),
            "not what a schema registry says",
        ),
        (
            Reply::Json(200, r#"{"schema":"x","schemaType":"XML"}"#.into()),
            "XML",
        ),
        (Reply::Json(404, "<html>".into()), "path of its URL"),
        (Reply::Raw(b"SSH-2.0-OpenSSH\r\n".to_vec()), ""),
        (
            Reply::Raw(b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n{\"sche".to_vec()),
            "broke off",
        ),
        (
            Reply::Redirect("http://127.0.0.1:1/x".into()),
            "another host",
        ),
        (
            Reply::Redirect("/schemas/ids/7".into()),
            "redirects more than",
        ),
        (Reply::Huge(100 << 20), "larger than 16 MiB"),
    ] {
        let mock = Mock::start();
        mock.always(reply.clone());
        let (registry, hands) = open(&with_login(&mock.url));
        let registry = &registry;
        let answers: Vec<String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| why(registry.wait(&SEVEN, LONG))))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(answers[0].contains(said), "{reply:?}: {}", answers[0]);
        assert!(answers.iter().all(|a| a == &answers[0]));
        assert!(!answers[0].contains(CANARY), "{}", answers[0]);
        let state = registry.state();
        assert_eq!(state.failing.as_deref(), Some(answers[0].as_str()));
        assert!(state.since.is_some());
        let once = mock.total();
        for _ in 0..1000 {
            assert_eq!(why(registry.by_id(&SEVEN)), answers[0]);
        }
        hands.advance(Duration::from_secs(59));
        why(registry.wait(&SEVEN, LONG));
        assert_eq!(mock.total(), once, "{reply:?}: asked again within a minute");
        // After the minute it is asked again, once, and what works now is taken.
        seven(&mock);
        hands.advance(Duration::from_secs(1));
        why(registry.by_id(&SEVEN));
        wait_until(|| matches!(registry.by_id(&SEVEN), Answer::Found(_)));
        assert_eq!(registry.state(), RegistryState::default());
    }
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < until, "it takes too long");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_the_registry_does_not_have_is_missing_for_a_minute() {
    let mock = Mock::start();
    let (registry, hands) = open(&mock.url);
    for _ in 0..100 {
        assert_eq!(registry.wait(&SEVEN, LONG), Answer::Missing);
    }
    assert_eq!(mock.total(), 1);
    assert_eq!(registry.state().failing, None);
    assert_eq!(registry.by_id(&SchemaId::Name("x".into())), Answer::Missing);
    assert_eq!(registry.by_id(&SchemaId::Fingerprint(1)), Answer::Missing);
    seven(&mock);
    hands.advance(Duration::from_mins(1));
    registry.by_id(&SEVEN);
    wait_until(|| matches!(registry.by_id(&SEVEN), Answer::Found(_)));
}

#[test]
fn nobody_waits_longer_than_he_wants_for_a_registry_that_is_silent_or_drips() {
    for reply in [
        Reply::Silence(Duration::from_mins(1)),
        Reply::Drip(Duration::from_millis(100)),
    ] {
        let mock = Mock::start();
        mock.always(reply);
        let patience = Duration::from_secs(2);
        let (registry, _) = open_for(patience, &mock.url, &Settings::default());
        let before = Instant::now();
        assert_eq!(
            registry.wait(&SEVEN, Duration::from_millis(300)),
            Answer::Pending
        );
        let before_look = Instant::now();
        for id in 0..1000 {
            assert_eq!(registry.by_id(&SchemaId::Number(id)), Answer::Pending);
        }
        assert!(before_look.elapsed() < Duration::from_secs(10));
        let said = why(registry.wait(&SEVEN, LONG));
        assert!(said.contains("within 2 s"), "{said}");
        assert!(
            before.elapsed() < Duration::from_secs(9),
            "{:?}",
            before.elapsed()
        );
        // The others that were waiting are told at once, without a request each.
        let said = why(registry.wait(&SchemaId::Number(200), LONG));
        assert!(said.contains("within 2 s"), "{said}");
        assert!(
            before.elapsed() < Duration::from_secs(9),
            "{:?}",
            before.elapsed()
        );
        assert_eq!(mock.total(), 1);
    }
}

#[test]
fn a_registry_that_is_not_there_is_asked_for_other_ids_only_after_a_pause() {
    // Above the ports that systems hand out by themselves: no other test gets it meanwhile.
    let free = (0..4500)
        .map(|n| 61_000 + ((std::process::id() + n) % 4500) as u16)
        .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    let address = free.unwrap().local_addr().unwrap();
    let (registry, hands) = open(&format!("http://{address}"));
    let said = why(registry.wait(&SEVEN, LONG));
    assert!(said.contains("nothing listens there"), "{said}");
    let mock = Mock::on(TcpListener::bind(address).unwrap());
    mock.json("/schemas/ids/8", &json!({"schema": "x"}));
    let eight = SchemaId::Number(8);
    assert_eq!(why(registry.wait(&eight, LONG)), said);
    assert_eq!(mock.total(), 0);
    hands.advance(PAUSE);
    found(registry.wait(&eight, LONG));
    assert_eq!(registry.state().failing, None);
    assert_eq!(
        why(registry.by_id(&SEVEN)),
        said,
        "its own minute is not over"
    );
}

#[test]
fn redirects_are_followed_where_the_login_belongs() {
    let mock = Mock::start();
    mock.json(
        "/moved",
        &json!({"schema": "x", "subject": "s", "version": 1}),
    );
    mock.set("/schemas/ids/7", Reply::Redirect("/moved".into()));
    mock.set(
        "/schemas/ids/8",
        Reply::Redirect(format!("{}0/moved", mock.url)),
    );
    let (registry, _) = open(&with_login(&mock.url));
    found(registry.wait(&SEVEN, LONG));
    assert!(
        mock.requests("/moved")[0]
            .to_lowercase()
            .contains("authorization")
    );
    let said = why(registry.wait(&SchemaId::Number(8), LONG));
    assert!(said.contains("another host"), "{said}");
}

#[test]
fn the_latest_version_is_asked_for_again_after_a_minute_and_stays_meanwhile() {
    let mock = Mock::start();
    let path = "/subjects/orders-value/versions/latest";
    let version = |v: u32| json!({"schema": "x", "version": v, "id": v, "schemaType": "JSON"});
    mock.json(path, &version(1));
    let (registry, hands) = open(&mock.url);
    let wanted = Wanted::of("orders", Side::Value);
    assert_eq!(registry.for_topic(&wanted), Answer::Pending);
    assert_eq!(
        found(registry.wait_for_topic(&wanted, LONG)).version,
        Some(1)
    );
    mock.json(path, &version(2));
    assert_eq!(found(registry.for_topic(&wanted)).version, Some(1));
    hands.advance(Duration::from_mins(1));
    assert_eq!(found(registry.for_topic(&wanted)).version, Some(1));
    wait_until(|| found(registry.for_topic(&wanted)).version == Some(2));
    assert_eq!(mock.count(path), 2);
    // A failure does not take away what was known.
    mock.set(path, Reply::Json(500, "{}".into()));
    hands.advance(Duration::from_mins(1));
    registry.for_topic(&wanted);
    wait_until(|| registry.state().failing.is_some());
    assert_eq!(found(registry.for_topic(&wanted)).version, Some(2));
}

#[test]
fn a_topic_is_looked_for_by_record_first_and_in_the_language_of_the_bytes() {
    let mock = Mock::start();
    let avro = json!({"schema": "x", "version": 1, "id": 1});
    let json = json!({"schema": "{}", "version": 1, "id": 2, "schemaType": "JSON"});
    mock.json("/subjects/com.acme.Order/versions/latest", &avro);
    mock.json("/subjects/orders-value/versions/latest", &json);
    let (registry, _) = open(&mock.url);
    let mut wanted = Wanted::of("orders", Side::Value);
    wanted.record_name = Some("com.acme.Order");
    assert_eq!(
        found(registry.wait_for_topic(&wanted, LONG)).id,
        Some(SchemaId::Number(1))
    );
    wanted.language = Some(Language::Json);
    assert_eq!(
        found(registry.wait_for_topic(&wanted, LONG)).id,
        Some(SchemaId::Number(2))
    );
    wanted.language = Some(Language::Protobuf);
    assert_eq!(registry.wait_for_topic(&wanted, LONG), Answer::Missing);
}

#[test]
fn the_cache_serves_when_a_registry_here_does_not_and_is_asked_first_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::default().cached_in(Some(folder.path().to_owned()));
    let mock = Mock::start();
    seven(&mock);
    let url = with_login(&mock.url);
    let first = found(open_with(&url, &settings).0.wait(&SEVEN, LONG));
    assert_no_canary(folder.path());
    // A registry on this machine that answers is believed; one that does not is replaced.
    mock.json("/schemas/ids/7", &json!({"schema": "\"long\""}));
    let second = found(open_with(&url, &settings).0.wait(&SEVEN, LONG));
    assert_eq!(second.source.text, "\"long\"");
    mock.always(Reply::Json(500, "{}".into()));
    mock.set("/schemas/ids/7", Reply::Json(500, "{}".into()));
    let (registry, _) = open_with(&url, &settings);
    assert_eq!(found(registry.wait(&SEVEN, LONG)), second);
    assert!(registry.state().failing.is_some());

    // Elsewhere what is kept is taken without a question: there is no such host.
    let there = "http://registry.invalid:8081";
    let disk = Disk::open(folder.path(), there).unwrap();
    let elsewhere = Known {
        origin: there.to_owned(),
        ..(*first).clone()
    };
    disk.write(&Question::Id(7), &elsewhere).unwrap();
    let (registry, _) = open_with(there, &settings);
    let before = Instant::now();
    assert_eq!(*found(registry.wait(&SEVEN, LONG)), elsewhere);
    assert!(before.elapsed() < Duration::from_secs(9));
}

fn assert_no_canary(folder: &Path) {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(!path.display().to_string().contains(CANARY));
        for file in std::fs::read_dir(path).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains(CANARY), "{text}");
            files += 1;
        }
    }
    assert!(files > 0, "nothing is kept");
}

#[cfg(not(feature = "https"))]
#[test]
fn without_https_such_a_url_is_refused() {
    let error = Registry::open("https://h:8081", &Settings::default()).unwrap_err();
    assert!(error.0.contains("feature https"), "{error}");
}
