//! What requests are answered with.

use gen_lsp_types::ErrorCodes;
use gen_lsp_types::json_rpc::{Error, ResponseObject};

/// What a request is answered with.
pub type Answer = Result<ResponseObject, Error>;

/// A refusal.
pub fn refusal(code: ErrorCodes, message: impl Into<String>) -> Error {
    Error { code, message: message.into(), data: None }
}
