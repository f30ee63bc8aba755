//! YAML that other people wrote, read within limits: for documents of schemas, and for whoever else
//! reads YAML.

use serde_json::Value;

const DEEPEST: usize = 100;
/// Bytes of stack for the YAML parser: without optimization it needs 30 KiB a level.
const STACK: usize = 16 << 20;

/// Reads a YAML document. Aliases may not multiply what is there, nor may nesting exhaust the stack, whoever's it is.
pub fn yaml(text: &str) -> Result<Value, String> {
    let options = || {
        serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: DEEPEST, max_nodes: 1_000_000, max_events: 3_000_000
            },
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
            strict_booleans: true,
            with_snippet: false,
        }
    };
    let parse = || serde_saphyr::from_str_with_options(text, options());
    let parsed = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("yaml".to_owned())
            .stack_size(STACK);
        let running = thread.spawn_scoped(scope, parse);
        running
            .map_err(|e| e.to_string())?
            .join()
            .map_err(|_| "its reader failed".to_owned())
    });
    parsed?.map_err(|error| format!("no readable YAML: {error}"))
}
