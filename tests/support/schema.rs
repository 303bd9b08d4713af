//! A document held against a published JSON schema, as far as ours use that language. A word of it that
//! is not known here fails, so that none goes unheeded.

use serde_json::Value;

/// Words that ask for nothing.
const TELLING: [&str; 5] = ["$schema", "$defs", "title", "description", "$id"];

/// What of `value` is not as `schema` wants it, each with where it is.
pub fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(schema, schema, value, "", &mut wrong);
    wrong
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    for (word, wanted) in schema.as_object().unwrap_or_else(|| panic!("no schema at {at}")) {
        match word.as_str() {
            word if TELLING.contains(&word) => {}
            "$ref" => {
                let pointer =
                    wanted.as_str().and_then(|pointer| pointer.strip_prefix('#')).expect("a reference in here");
                let other = root.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in the schema"));
                check(root, other, value, at, wrong);
            }
            "type" => {
                let types: Vec<&Value> = wanted.as_array().map_or_else(|| vec![wanted], |list| list.iter().collect());
                if !types.iter().any(|kind| is(kind.as_str().expect("a type"), value)) {
                    wrong.push(format!("{at} is no {wanted}: {value}"));
                }
            }
            "const" => wrong.extend((value != wanted).then(|| format!("{at} is not {wanted}: {value}"))),
            "enum" => {
                let any = wanted.as_array().expect("a list").contains(value);
                wrong.extend((!any).then(|| format!("{at} is none of {wanted}: {value}")));
            }
            "required" => {
                for name in wanted.as_array().expect("a list").iter().filter_map(Value::as_str) {
                    let lacks = value.as_object().is_some_and(|fields| !fields.contains_key(name));
                    wrong.extend(lacks.then(|| format!("{at} has no {name}")));
                }
            }
            "properties" => {
                for (name, schema) in wanted.as_object().expect("properties") {
                    if let Some(value) = value.get(name) {
                        check(root, schema, value, &format!("{at}/{name}"), wrong);
                    }
                }
            }
            "additionalProperties" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    if schema["properties"].get(name).is_none() {
                        check(root, wanted, field, &format!("{at}/{name}"), wrong);
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{at}/{index}"), wrong);
                }
            }
            other => panic!("'{other}' at {at} is not understood here"),
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("'{other}' is no type"),
    }
}

#[test]
fn what_is_wrong_is_seen() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"],
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"enum": ["x"]}, "c": {"const": 1}},
        "additionalProperties": {"type": ["string", "null"]},
        "$defs": {"a": {"type": "array", "items": {"type": "integer"}}},
    });
    let good = serde_json::json!({"a": [1], "b": "x", "c": 1, "d": null});
    assert_eq!(violations(&schema, &good), Vec::<String>::new());
    for bad in [
        serde_json::json!({}),
        serde_json::json!([]),
        serde_json::json!({"a": ["1"]}),
        serde_json::json!({"a": [], "b": "y"}),
        serde_json::json!({"a": [], "c": 2}),
        serde_json::json!({"a": [], "d": 1}),
    ] {
        assert_eq!(violations(&schema, &bad).len(), 1, "{bad}");
    }
}
