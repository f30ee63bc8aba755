//! Every output format of two events of the demo, to the letter: a delta and a tombstone.

use super::{evtap, out};

const EVENTS: [&str; 4] = ["read", "demo:order-events", "-k", "order-405"];

fn formatted(args: &[&str]) -> String {
    out(&[&EVENTS[..], args].concat())
}

const FIRST: &str = concat!(
    r#"{"topic":"order-events","partition":0,"offset":4,"timestamp":1723717804250,"#,
    r#""time":"2024-08-15T10:30:04.250Z","timestamp_type":"create","key":"order-405","#,
    r#""headers":{"correlation-id":"order-405","#,
    r#""traceparent":"00-feed0405beeffeed0405beeffeed0405-fade0405cafe0006-01","#,
    r#""producer":"order-1","schema-version":"1","version":"2"},"#,
    r#""value":{"status":"REJECTED"},"encoding":{"key":"text","value":"json"},"#,
    r#""schema":{"verdict":"valid","id":null,"errors":[]}}"#,
);

const SECOND: &str = concat!(
    r#"{"topic":"order-events","partition":0,"offset":41,"timestamp":1723717834000,"#,
    r#""time":"2024-08-15T10:30:34.000Z","timestamp_type":"create","key":"order-405","#,
    r#""headers":{"correlation-id":"order-405","#,
    r#""traceparent":"00-feed0405beeffeed0405beeffeed0405-fade0405cafe0006-01","#,
    r#""producer":"order-1","schema-version":"1"},"#,
    r#""value":null,"encoding":{"key":"text","value":"tombstone"},"#,
    r#""schema":{"verdict":"none","id":null,"errors":[]}}"#,
);

#[test]
fn json_lines_are_the_event_object() {
    assert_eq!(formatted(&["-o", "jsonl"]), format!("{FIRST}\n{SECOND}\n"));
}

#[test]
fn json_is_one_array() {
    assert_eq!(
        formatted(&["-o", "json"]),
        format!("[\n{FIRST},\n{SECOND}\n]\n")
    );
    assert_eq!(out(&["read", "demo:", "-k", "no", "-o", "json"]), "[]\n");
}

#[test]
fn text_is_the_default_and_one_line_an_event() {
    let trace = "traceparent=00-feed0405beeffeed0405beeffeed…";
    assert_eq!(
        formatted(&[]),
        format!(
            "2024-08-15T10:30:04.250Z  order-events/0@4  order-405  {{\"status\":\"REJECTED\"}}  \
             correlation-id=order-405 {trace} producer=order-1 schema-version=1 version=2\n\
             2024-08-15T10:30:34.000Z  order-events/0@41  order-405  (tombstone)  \
             correlation-id=order-405 {trace} producer=order-1 schema-version=1\n"
        )
    );
}

#[test]
fn text_has_the_zone_that_was_asked_for() {
    let shown = formatted(&["--tz", "Europe/Berlin", "-n", "1"]);
    assert!(
        shown.starts_with("2024-08-15T12:30:04.250+02:00  "),
        "{shown}"
    );
}

#[test]
fn colour_is_added_only_when_it_is_asked_for() {
    let plain = formatted(&["-n", "1"]);
    let painted = formatted(&["-n", "1", "--color", "always"]);
    assert!(!plain.contains('\x1b'));
    assert!(painted.contains("\x1b[36morder-events/0@4\x1b[0m"));
    assert_eq!(formatted(&["-n", "1", "--color", "never"]), plain);
}

#[test]
fn a_pinned_decoder_that_refuses_is_shown() {
    let args = [
        "read",
        "demo:payments",
        "-k",
        "order-436",
        "--decode",
        "value=json",
    ];
    let text = out(&args);
    assert!(
        text.contains("  {\"eventId\":\"pay-436\", (not JSON: the text ends early at byte 21)  "),
        "{text}"
    );
    let line = out(&[&args[..], &["-o", "jsonl"]].concat());
    assert!(
        line.ends_with(concat!(
            r#""value":"{\"eventId\":\"pay-436\",","encoding":{"key":"text","value":"text"},"#,
            r#""error":"value: not JSON: the text ends early at byte 21","#,
            r#""schema":{"verdict":"undecodable","id":null,"errors":[{"path":"","keyword":"","#,
            r#""message":"not JSON: the text ends early at byte 21"}]}}"#,
            "\n"
        )),
        "{line}"
    );
}

#[test]
fn csv_has_a_head_and_quotes() {
    let headers = concat!(
        r#""{""correlation-id"":""order-405"","#,
        r#"""traceparent"":""00-feed0405beeffeed0405beeffeed0405-fade0405cafe0006-01"","#,
        r#"""producer"":""order-1"",""schema-version"":""1"""#,
    );
    assert_eq!(
        formatted(&["-o", "csv"]),
        format!(
            "topic,partition,offset,timestamp,time,key,value,headers\n\
             order-events,0,4,1723717804250,2024-08-15T10:30:04.250Z,order-405,\
             \"{{\"\"status\"\":\"\"REJECTED\"\"}}\",{headers},\"\"version\"\":\"\"2\"\"}}\"\n\
             order-events,0,41,1723717834000,2024-08-15T10:30:34.000Z,order-405,,{headers}}}\"\n"
        )
    );
}

#[test]
fn raw_is_the_bytes_of_the_value() {
    assert_eq!(
        formatted(&["-o", "raw", "-n", "1"]),
        "{\"status\":\"REJECTED\"}\n"
    );
}

#[test]
fn a_template_is_filled() {
    assert_eq!(
        formatted(&[
            "-o",
            "template={time} {topic}/{partition}@{offset} {key} v{header:version}"
        ]),
        "2024-08-15T10:30:04.250Z order-events/0@4 order-405 v2\n\
         2024-08-15T10:30:34.000Z order-events/0@41 order-405 v\n"
    );
}

#[test]
fn map_prints_each_output_as_compact_json() {
    assert_eq!(
        formatted(&["--map", ".offset, .value, .key"]),
        "4\n{\"status\":\"REJECTED\"}\n\"order-405\"\n41\nnull\n\"order-405\"\n"
    );
    assert_eq!(
        formatted(&["--map", ".key, .value", "-o", "raw", "-n", "1"]),
        "order-405\n{\"status\":\"REJECTED\"}\n"
    );
}

#[test]
fn an_address_of_the_demo_takes_properties() {
    let keys = |address| {
        out(&[
            "read",
            address,
            "-k",
            "order-441",
            "-o",
            "template={offset}",
        ])
    };
    assert_eq!(keys("demo:payments"), "26\n");
    // The aborted first try stands before it.
    assert_eq!(
        keys("demo:payments?isolation.level=read_uncommitted"),
        "24\n26\n"
    );
}

#[test]
fn explain_reads_nothing_and_tells_the_range() {
    let ran = evtap(&["read", "demo:orders", "--from", "18", "--explain"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        ran.out,
        "source demo:orders (demo), looking is free\n  orders/0 [18, 21), 3 offsets\n  \
         orders/1 [18, 21), 3 offsets\n  orders/2 [18, 20), 2 offsets\n"
    );
}
