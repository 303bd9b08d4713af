//! What the editor can do and what the server can, told each other at the beginning.

use gen_lsp_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CompletionOptions, DocumentLinkOptions, InitializeResult,
    MarkupKind, PositionEncodingKind, Registration, RegistrationParams, Save, ServerCapabilities, ServerInfo,
    TextDocumentSyncKind, TextDocumentSyncOptions,
};
use serde_json::json;

use super::actions::FIX_ALL;
use super::markup::Markup;
use super::state::Client;
use super::text::Encoding;

/// What matters of what the editor can do.
pub fn client(capabilities: &ClientCapabilities) -> Client {
    let documents = capabilities.text_document.as_ref();
    let encodings = capabilities.general.as_ref().and_then(|general| general.position_encodings.as_ref());
    let bytes = encodings.is_some_and(|list| list.contains(&PositionEncodingKind::UTF8));
    let formats = documents.and_then(|d| d.hover.as_ref()).and_then(|hover| hover.content_format.as_ref());
    // The first one is the one that the editor likes best.
    let known = [MarkupKind::Markdown, MarkupKind::PlainText];
    let first = formats.and_then(|list| list.iter().find(|kind| known.contains(kind)));
    let markdown = first == Some(&MarkupKind::Markdown);
    let symbols = documents.and_then(|d| d.document_symbol.as_ref());
    let actions = documents.and_then(|d| d.code_action.as_ref());
    let workspace = capabilities.workspace.as_ref();
    let watches_files =
        workspace.and_then(|w| w.did_change_watched_files.as_ref()).and_then(|w| w.dynamic_registration);
    Client {
        encoding: if bytes { Encoding::Utf8 } else { Encoding::Utf16 },
        markup: if markdown { Markup::Markdown } else { Markup::Plain },
        watches_files: watches_files.unwrap_or(false),
        actions: actions.is_some_and(|actions| actions.code_action_literal_support.is_some()),
        nested_symbols: symbols.and_then(|s| s.hierarchical_document_symbol_support).unwrap_or(false),
    }
}

/// The wish to hear of files that change: they may be included.
pub fn watch_files() -> RegistrationParams {
    let options = json!({"watchers": [{"globPattern": "**/*.{ks,cfg,inc}"}]});
    let registration = Registration {
        id: "files".to_owned(),
        method: "workspace/didChangeWatchedFiles".to_owned(),
        register_options: Some(options),
    };
    RegistrationParams { registrations: vec![registration] }
}

/// What the server can do.
pub fn server(client: Client) -> InitializeResult {
    let encoding = match client.encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
    };
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::Incremental),
        save: Some(Save::Bool(true)),
        ..TextDocumentSyncOptions::default()
    };
    let completion = CompletionOptions {
        trigger_characters: Some(["%", "-", "=", ","].map(str::to_owned).to_vec()),
        ..CompletionOptions::default()
    };
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![CodeActionKind::QuickFix, CodeActionKind::Custom(FIX_ALL.into())]),
        ..CodeActionOptions::default()
    };
    let capabilities = ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(sync.into()),
        completion_provider: Some(completion),
        hover_provider: Some(true.into()),
        definition_provider: Some(true.into()),
        references_provider: Some(true.into()),
        document_symbol_provider: Some(true.into()),
        document_link_provider: Some(DocumentLinkOptions::default()),
        document_formatting_provider: Some(true.into()),
        folding_range_provider: Some(true.into()),
        // Without that an editor takes commands only, and there are none.
        code_action_provider: client.actions.then_some(actions.into()),
        ..ServerCapabilities::default()
    };
    let info = ServerInfo { name: "bootc-ks".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
    InitializeResult { capabilities, server_info: Some(info) }
}
