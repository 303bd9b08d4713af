//! What the machine is for, in the file that subscription-manager reads.

use serde_json::json;

use super::change::Change;
use crate::request::SystemPurpose;

/// The changes for `purpose`.
pub fn changes(purpose: &SystemPurpose) -> Vec<Change> {
    let mut document = serde_json::Map::new();
    let texts = [("role", &purpose.role), ("service_level_agreement", &purpose.sla), ("usage", &purpose.usage)];
    for (key, value) in texts {
        if let Some(value) = value {
            document.insert(key.to_owned(), json!(value));
        }
    }
    if !purpose.addons.is_empty() {
        document.insert("addons".to_owned(), json!(purpose.addons));
    }
    if document.is_empty() {
        return Vec::new();
    }
    let text = format!("{:#}\n", serde_json::Value::Object(document));
    vec![Change::write("/etc/rhsm/syspurpose/syspurpose.json", text)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_is_in_the_file() {
        assert!(changes(&SystemPurpose::default()).is_empty());
        let purpose =
            SystemPurpose { sla: Some("Premium".into()), addons: vec!["a".into()], ..SystemPurpose::default() };
        let text = changes(&purpose)[0].details().join("\n");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, json!({"service_level_agreement": "Premium", "addons": ["a"]}));
    }
}
