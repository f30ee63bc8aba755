//! JSON Patch (RFC 6902) on a state: all of its operations or none, and no state that outgrows
//! what a screen and a stack can hold.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// How deep a state may be nested; as deep as the parser lets an event's value be.
const DEEPEST: usize = 128;
/// Values of a state, all in all. A patch of a few hundred bytes that copies the whole into itself
/// again and again would double it each time.
const MOST: usize = 1_000_000;

/// Why a patch was not taken, in words.
type Refusal = String;

/// The state with the patch done to it. The error says which operation failed and why; the state
/// stays as it was then.
pub(super) fn patched(state: Option<&Value>, patch: &Value) -> Result<Value, Refusal> {
    let patch: Patch = serde_json::from_value(patch.clone())
        .map_err(|error| format!("not a JSON patch (RFC 6902): {error}"))?;
    let mut state = state.cloned().unwrap_or(Value::Null);
    for (number, operation) in patch.0.iter().enumerate() {
        let one = std::slice::from_ref(operation);
        json_patch::patch(&mut state, one)
            .map_err(|error| format!("operation {}: {}", number + 1, error.kind))?;
        // Nothing else makes a state grow by more than the patch has bytes.
        let grows = matches!(
            operation,
            PatchOperation::Copy(_) | PatchOperation::Move(_) | PatchOperation::Add(_)
        );
        if grows && !fits(&state, &mut MOST.clone(), DEEPEST) {
            return Err(format!(
                "operation {}: the state grows beyond {MOST} values or {DEEPEST} levels",
                number + 1
            ));
        }
    }
    Ok(state)
}

/// Whether a value has room; at most `deepest` levels are walked.
fn fits(value: &Value, room: &mut usize, deepest: usize) -> bool {
    if *room == 0 || deepest == 0 {
        return false;
    }
    *room -= 1;
    match value {
        Value::Array(items) => items.iter().all(|item| fits(item, room, deepest - 1)),
        Value::Object(members) => members.values().all(|item| fits(item, room, deepest - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_operations_of_the_standard_are_done_in_their_order() {
        let state = json!({"status": "PLACED", "items": [1, 2], "old": true});
        let patch = json!([
            {"op": "test", "path": "/status", "value": "PLACED"},
            {"op": "replace", "path": "/status", "value": "PAID"},
            {"op": "add", "path": "/items/-", "value": 3},
            {"op": "remove", "path": "/old"},
            {"op": "move", "from": "/items", "path": "/lines"},
        ]);
        let after = patched(Some(&state), &patch).unwrap();
        assert_eq!(after, json!({"status": "PAID", "lines": [1, 2, 3]}));
    }

    #[test]
    fn a_patch_that_fails_says_where() {
        let state = json!({"status": "PLACED"});
        for (patch, says) in [
            (json!([{"op": "remove", "path": "/a"}]), "operation 1"),
            (
                json!([{"op": "add", "path": "/a", "value": 1},
                       {"op": "test", "path": "/status", "value": "PAID"}]),
                "operation 2",
            ),
            (json!({"status": "PAID"}), "not a JSON patch"),
            (json!([{"op": "burn", "path": "/a"}]), "not a JSON patch"),
        ] {
            let error = patched(Some(&state), &patch).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_patch_cannot_blow_a_state_up() {
        let copy = json!({"op": "copy", "from": "", "path": "/a"});
        let patch = Value::Array(vec![copy; 200]);
        let error = patched(Some(&json!({"b": [1, 2, 3]})), &patch).unwrap_err();
        assert!(error.contains("grows beyond"), "{error}");
        let twin = json!([{"op": "add", "path": "/a", "value": {}},
                          {"op": "copy", "from": "", "path": "/a/b"}]);
        let many: Vec<Value> = (0..100)
            .flat_map(|_| twin.as_array().unwrap().clone())
            .collect();
        assert!(patched(Some(&json!({})), &Value::Array(many)).is_ok());
    }
}
