//! What the editor asks.

use gen_lsp_types::json_rpc::{Error, Id, ResponseObject};
use gen_lsp_types::{
    CodeActionRequest, CodeActionResponse, CompletionList, CompletionRequest, CompletionResponse, Definition,
    DefinitionRequest, DefinitionResponse, DocumentFormattingRequest, DocumentLinkRequest, DocumentSymbolRequest,
    ErrorCodes, FoldingRangeRequest, HoverRequest, ReferencesRequest, Request, TextDocumentIdentifier,
    TextDocumentPositionParams,
};
use serde_json::Value;

use super::answer::{Answer, refusal};
use super::state::State;
use super::{actions, completion, formatting, hover, navigation, outline};

/// The request was right, but cannot be fulfilled.
const REQUEST_FAILED: i32 = -32803;

/// Answer a request.
pub fn answer(state: &mut State, method: &str, id: Id, params: Value) -> Answer {
    let question = Question { state, method, id, params };
    match method {
        "textDocument/hover" => question.ask::<HoverRequest>(|state, params| {
            let (uri, at) = place(state, params.text_document_position_params)?;
            Ok(hover::hover(state, &uri, at))
        }),
        "textDocument/completion" => question.ask::<CompletionRequest>(|state, params| {
            let (uri, at) = place(state, params.text_document_position_params)?;
            let items = completion::completion(state, &uri, at).unwrap_or_default();
            let list = CompletionList { items, ..CompletionList::default() };
            Ok(Some(CompletionResponse::CompletionList(list)))
        }),
        "textDocument/definition" => question.ask::<DefinitionRequest>(|state, params| {
            let (uri, at) = place(state, params.text_document_position_params)?;
            let found = navigation::definition(state, &uri, at);
            Ok(found.map(|list| DefinitionResponse::Definition(Definition::LocationList(list))))
        }),
        "textDocument/references" => question.ask::<ReferencesRequest>(|state, params| {
            let (uri, at) = place(state, params.text_document_position_params)?;
            Ok(navigation::references(state, &uri, at, params.context.include_declaration))
        }),
        "textDocument/documentSymbol" => question.ask::<DocumentSymbolRequest>(|state, params| {
            let uri = open(state, params.text_document)?;
            Ok(outline::symbols(state, &uri))
        }),
        "textDocument/foldingRange" => question.ask::<FoldingRangeRequest>(|state, params| {
            let uri = open(state, params.text_document)?;
            Ok(outline::folds(state, &uri))
        }),
        "textDocument/documentLink" => question.ask::<DocumentLinkRequest>(|state, params| {
            let uri = open(state, params.text_document)?;
            Ok(navigation::links(state, &uri))
        }),
        "textDocument/formatting" => question.ask::<DocumentFormattingRequest>(|state, params| {
            let uri = open(state, params.text_document)?;
            let failed = ErrorCodes::Custom(REQUEST_FAILED);
            formatting::formatting(state, &uri).transpose().map_err(|error| refusal(failed, error.to_string()))
        }),
        "textDocument/codeAction" => question.ask::<CodeActionRequest>(|state, params| {
            let uri = open(state, params.text_document)?;
            let found = actions::actions(state, &uri, params.range, &params.context);
            Ok(found.map(|list| list.into_iter().map(CodeActionResponse::CodeAction).collect()))
        }),
        _ => Err(refusal(ErrorCodes::MethodNotFound, format!("`{method}` is not provided"))),
    }
}

struct Question<'a> {
    state: &'a mut State,
    method: &'a str,
    id: Id,
    params: Value,
}

impl Question<'_> {
    fn ask<R: Request>(self, handle: impl FnOnce(&mut State, R::Params) -> Result<R::Result, Error>) -> Answer {
        // Not the error itself: it may quote the document.
        let params = serde_json::from_value(self.params).map_err(|_| {
            refusal(ErrorCodes::InvalidParams, format!("the parameters of `{}` cannot be read", self.method))
        })?;
        Ok(ResponseObject::from_success::<R>(self.id, handle(self.state, params)?))
    }
}

fn open(state: &State, document: TextDocumentIdentifier) -> Result<String, Error> {
    let uri = document.uri.0;
    match state.document(&uri) {
        Some(_) => Ok(uri),
        None => Err(refusal(ErrorCodes::InvalidParams, format!("{uri} is not open"))),
    }
}

fn place(state: &State, params: TextDocumentPositionParams) -> Result<(String, gen_lsp_types::Position), Error> {
    Ok((open(state, params.text_document)?, params.position))
}
