//! Answers in words, and the headers that go with them.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use installer_core::{Error, Kind};
use serde_json::json;

/// What is answered where there is nothing better.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    text: String,
    kind: &'static str,
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

impl Problem {
    /// A sentence.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Problem { status, text: text.into(), kind: TEXT }
    }

    /// The same in a form that the client understands.
    pub fn told_by(mut self, form: impl FnOnce(&str) -> String) -> Self {
        self.text = form(&self.text);
        self
    }

    /// Nothing of this name.
    pub fn nothing() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "there is nothing here")
    }

    /// Nothing is promised that a crash could take back.
    pub fn not_written() -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the state could not be written; the server's log says why")
    }

    /// An error for a program that shows it to people.
    pub fn explained(error: &Error) -> Self {
        let status = match error.kind() {
            Kind::Input => StatusCode::BAD_REQUEST,
            Kind::Refused | Kind::Cancelled => StatusCode::CONFLICT,
            Kind::World | Kind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let json = json!({"error": {"message": error.to_string(), "hint": error.remedy().map(ToString::to_string)}});
        Problem { status, text: json.to_string(), kind: JSON }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = text(self.kind, format!("{}\n", self.text));
        *response.status_mut() = self.status;
        if self.status == StatusCode::UNAUTHORIZED {
            set(&mut response, header::WWW_AUTHENTICATE, "Bearer");
        }
        response
    }
}

/// A text that is good at this moment alone.
pub fn text(kind: &str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    set(&mut response, header::CONTENT_TYPE, kind);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// The same in plain text.
pub fn plain(words: String) -> Response<Body> {
    text(TEXT, words)
}

/// A document.
pub fn document(value: &serde_json::Value) -> Response<Body> {
    text(JSON, format!("{value}\n"))
}

/// It is done, or has not changed.
pub fn empty() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Sets a header; a value that is none is left out.
pub fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
