//! The running server, asked from its own host. Its state is its own while it runs, so what is
//! wanted of it is asked for.

use std::path::Path;
use std::time::Duration;

use installer_core::{Error, Stage};
use pxe::serve::token::Admin;
use serde_json::Value;

/// Where the server keeps what it knows.
pub const STATE: &str = "/var/lib/bootc-ks/netboot.state";

/// No list of machines and no log is longer.
const LIMIT: u64 = 256 << 20;

/// A server that runs.
pub struct Client {
    admin: Admin,
    agent: ureq::Agent,
}

impl Client {
    /// The one that keeps `state`.
    pub fn new(state: &Path) -> anyhow::Result<Self> {
        let admin = Admin::read(state)?;
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Ok(Client { admin, agent: ureq::Agent::new_with_config(config) })
    }

    /// Reads a JSON document.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let text = self.text(path)?;
        Ok(serde_json::from_str(&text).map_err(|error| self.strange(&error))?)
    }

    /// Reads a text.
    pub fn text(&self, path: &str) -> anyhow::Result<String> {
        let request = self.agent.get(format!("{}{path}", self.admin.url));
        let response = request.header("Authorization", format!("Bearer {}", self.admin.token)).call();
        self.finish(response)
    }

    /// Has something done; the machine as it is afterwards.
    pub fn post(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.post(format!("{}{path}", self.admin.url));
        let response = request.header("Authorization", format!("Bearer {}", self.admin.token)).send_empty();
        let text = self.finish(response)?;
        Ok(serde_json::from_str(&text).map_err(|error| self.strange(&error))?)
    }

    fn finish(&self, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<String> {
        let mut response = response.map_err(|error| {
            Error::world(Stage::Request, format!("asking the server at {}", self.admin.url))
                .because(error)
                .hint("it does not run, or has moved: start 'bootc-ks netboot serve' with the same --state")
        })?;
        let text = response.body_mut().with_config().limit(LIMIT).read_to_string();
        let text = text.map_err(|error| self.strange(&error))?;
        match response.status().as_u16() {
            200..=299 => Ok(text),
            status => Err(refusal(status, &text).into()),
        }
    }

    fn strange(&self, error: &dyn std::error::Error) -> Error {
        Error::failed(Stage::Request, format!("the answer of {}: {error}", self.admin.url))
            .hint("another program may listen there")
    }
}

/// What the server says of its refusal, with the exit code that it means.
fn refusal(status: u16, text: &str) -> Error {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let message = body["error"]["message"].as_str().unwrap_or(text.trim()).to_owned();
    let error = match status {
        400 | 404 => Error::input(Stage::Request, message),
        401 | 403 | 409 => Error::refused(Stage::Request, message),
        _ => Error::world(Stage::Request, format!("the server says ({status}): {message}")),
    };
    match body["error"]["hint"].as_str() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// A word as one segment of a path.
pub fn segment(word: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    word.bytes().map(byte).collect()
}

/// How long ago, for people.
pub fn ago(now: u64, then: Option<u64>) -> String {
    let Some(then) = then.filter(|then| *then > 0) else { return "-".to_owned() };
    match now.saturating_sub(then) {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds @ 100..=5_999 => format!("{} min", seconds / 60),
        seconds @ 6_000..=172_799 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// What to say of a machine in one line: what went wrong, else what it does, else the latest
/// remark.
pub fn last_word(machine: &Value) -> String {
    let progress = &machine["progress"];
    let remark = machine["remarks"].as_array().and_then(|remarks| remarks.last());
    let remark = remark.map(|remark| &remark["text"]);
    let title = Some(&progress["title"]).filter(|_| machine["state"] == "installing");
    [Some(&machine["error"]["message"]), title, remark, Some(&progress["message"])]
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|text| !text.is_empty())
        .unwrap_or("")
        .replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_for_people() {
        assert_eq!(segment("A/b +%"), "A%2Fb%20%2B%25");
        assert_eq!(ago(1000, None), "-");
        assert_eq!(ago(1000, Some(950)), "50 s");
        assert_eq!(ago(1000, Some(100)), "15 min");
        assert_eq!(ago(100_000, Some(1)), "27 h");
        let failed = json!({"state": "failed", "error": {"message": "no\ndisk"}, "progress": {"title": "x"}});
        assert_eq!(last_word(&failed), "no disk");
        let installed = json!({"state": "installed", "progress": {"title": "x", "message": ""}, "remarks": []});
        assert_eq!(last_word(&installed), "");
    }

    #[test]
    fn a_refusal_keeps_its_words_and_its_kind() {
        let error = refusal(409, r#"{"error":{"message":"web is installing","hint":"--force"}}"#);
        assert_eq!((error.exit_code(), error.remedy()), (4, Some(&"--force".into())));
        assert_eq!(refusal(404, "nothing\n").to_string(), "nothing");
        assert_eq!(refusal(503, "x").exit_code(), 3);
    }
}
