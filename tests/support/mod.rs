//! What the tests share: the servers that they may find, and the program itself in a clean
//! environment. What only one of them needs stays there.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test ends by panicking, and says on standard error that it was skipped"
)]

use std::path::Path;
use std::process::{Command, Stdio};

/// Not every test uses all of this; a constant without a name does.
const _: fn(&str) -> Option<String> = server;
const _: fn() -> Command = evtap;

/// The address that the variable holds. Without it the test is skipped, and says so, unless
/// `EVTAP_TEST_REQUIRE` asks for every test: then it fails.
pub fn server(variable: &str) -> Option<String> {
    if let Ok(address) = std::env::var(variable) {
        return Some(address);
    }
    let script = if variable.starts_with("EVTAP_TEST_REDIS") {
        "redis.sh start"
    } else if variable == "EVTAP_TEST_SCHEMA_REGISTRY" {
        "schema-registry.sh start"
    } else if variable == "EVTAP_TEST_PYTHON" {
        let python = "a Python that has confluent-kafka[avro,json,protobuf,schemaregistry]";
        return missing(&format!("set {variable} to {python}"));
    } else if variable == "EVTAP_TEST_KAFKA" {
        "kafka.sh start"
    } else {
        "kafka.sh start --secure"
    };
    missing(&format!(
        "set {variable}: eval \"$(tests/brokers/{script})\""
    ))
}

/// Says that the test is skipped, or fails.
fn missing(hint: &str) -> Option<String> {
    assert!(
        std::env::var_os("EVTAP_TEST_REQUIRE").is_none(),
        "EVTAP_TEST_REQUIRE is set, but there is no server: {hint}"
    );
    eprintln!("skipped: {hint}");
    None
}

/// The program, with no configuration, no terminal and nothing of the caller's environment that
/// could change what it prints. Times are UTC.
pub fn evtap() -> Command {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let config = home.join("empty-config.toml");
    std::fs::write(&config, "").expect("the target directory can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_evtap"));
    command.env_clear();
    for kept in ["PATH", "TMPDIR", "TEMP", "SYSTEMROOT", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
        .env("HOME", home)
        .env("EVTAP_CONFIG", config)
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    command
}
