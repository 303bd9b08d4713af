//! What the editor tells.

use gen_lsp_types::{
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::state::State;
use super::uri;

/// Take a notification; returns the document that it closed. What is not known or cannot be
/// read is passed over: a notification has no answer.
pub fn take(state: &mut State, method: &str, params: Value) -> Option<Uri> {
    match method {
        "textDocument/didOpen" => {
            let params: DidOpenTextDocumentParams = read(method, params)?;
            let document = params.text_document;
            state.open(document.uri, document.version, document.text);
        }
        "textDocument/didChange" => {
            let params: DidChangeTextDocumentParams = read(method, params)?;
            let document = params.text_document;
            let uri = document.text_document_identifier.uri;
            if !state.change(&uri, document.version, params.content_changes) {
                tracing::warn!(uri = uri.0, "a change of a document that is not open");
            }
        }
        "textDocument/didSave" => {
            let params: DidSaveTextDocumentParams = read(method, params)?;
            state.file_changed(&uri::path_of(&params.text_document.uri));
        }
        "textDocument/didClose" => {
            let params: DidCloseTextDocumentParams = read(method, params)?;
            return Some(params.text_document.uri).filter(|uri| state.close(uri));
        }
        "workspace/didChangeConfiguration" => {
            let params: DidChangeConfigurationParams = read(method, params)?;
            if let Err(error) = state.configure(&params.settings) {
                state.complaints.push(error.to_string());
            }
        }
        "workspace/didChangeWatchedFiles" => {
            let params: DidChangeWatchedFilesParams = read(method, params)?;
            params.changes.iter().for_each(|change| state.file_changed(&uri::path_of(&change.uri)));
        }
        _ => {}
    }
    None
}

fn read<T: DeserializeOwned>(method: &str, params: Value) -> Option<T> {
    let read = serde_json::from_value(params);
    if read.is_err() {
        // Not the error: it may quote the document.
        tracing::warn!(method, "parameters that cannot be read");
    }
    read.ok()
}
