//! Documents that this program wrote and reads again: a machine, an image's facts.

use serde::de::DeserializeOwned;

use crate::error::{Error, Result, Stage};

/// Reads JSON that says which `schema` it has. `name` is what messages call the text, and
/// `what` what it should be.
pub fn document<T: DeserializeOwned>(text: &str, name: &str, what: &str, schema: u32) -> Result<T> {
    let bad = |message: String| Error::input(Stage::Plan, format!("{name}: {message}"));
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    match value["schema"].as_u64() {
        Some(found) if found == u64::from(schema) => {}
        found => {
            let found = found.map_or("none".to_owned(), |found| found.to_string());
            return Err(bad(format!("this is no {what} document of schema {schema} (its schema is {found})")));
        }
    }
    serde_json::from_value(value).map_err(|error| bad(format!("this is no {what} document: {error}")))
}
