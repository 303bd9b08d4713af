//! What the server knows: the open documents, what was found in each, the settings.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::rc::Rc;

use gen_lsp_types::{TextDocumentContentChangeEvent, Uri};
use installer_core::prepare::examine;
use kickstart_parser::{ParseOptions, Parsed, Syntax, UnknownSyntax};
use serde_json::Value;

use super::buffers::Buffers;
use super::language::Language;
use super::markup::Markup;
use super::text::{Encoding, Text};
use super::uri;

/// An open document.
pub struct Document {
    /// The editor's name for it.
    pub uri: Uri,
    /// The parser's name for it.
    pub path: String,
    /// The editor's count of changes.
    pub version: i32,
    /// What it holds.
    pub text: Text,
    parsed: Option<Rc<Parsed>>,
}

/// What the editor can do.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The unit of columns.
    pub encoding: Encoding,
    /// The form of longer texts.
    pub markup: Markup,
    /// Whether symbols may have symbols below them.
    pub nested_symbols: bool,
    /// Whether it can be asked to tell of files that change.
    pub watches_files: bool,
    /// Whether it takes actions that are edits.
    pub actions: bool,
}

/// Everything.
pub struct State {
    /// The tables of the language.
    pub language: Language,
    /// What the editor can do.
    pub client: Client,
    /// What is wrong with the settings, to be told.
    pub complaints: Vec<String>,
    syntax: Option<Syntax>,
    documents: HashMap<String, Document>,
    /// Documents whose findings the editor has not seen yet.
    stale: BTreeSet<String>,
}

impl State {
    /// Nothing is open.
    pub fn new(client: Client) -> State {
        State {
            language: Language::new(),
            client,
            complaints: Vec::new(),
            syntax: None,
            documents: HashMap::new(),
            stale: BTreeSet::new(),
        }
    }

    /// Take over the settings: `{"bootc-ks": {"syntax": "RHEL9"}}`, or what is inside.
    pub fn configure(&mut self, settings: &Value) -> Result<(), UnknownSyntax> {
        let ours = settings.get("bootc-ks").unwrap_or(settings);
        let syntax = match ours.get("syntax").or_else(|| settings.get("bootc-ks.syntax")) {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) if name.is_empty() => None,
            Some(Value::String(name)) => Some(name.parse()?),
            Some(_) => return Err(UnknownSyntax("a value that is no text".to_owned())),
        };
        if syntax != self.syntax {
            self.syntax = syntax;
            let all: Vec<String> = self.documents.keys().cloned().collect();
            all.into_iter().for_each(|uri| self.forget(uri));
        }
        Ok(())
    }

    /// A document is open now.
    pub fn open(&mut self, uri: Uri, version: i32, text: String) {
        let path = uri::path_of(&uri);
        let text = Text::new(text, self.client.encoding);
        let document = Document { path: path.clone(), version, text, parsed: None, uri };
        let uri = document.uri.0.clone();
        self.documents.insert(uri.clone(), document);
        self.changed(uri, &path);
    }

    /// A document has changed; whether there is one.
    pub fn change(&mut self, uri: &Uri, version: i32, changes: Vec<TextDocumentContentChangeEvent>) -> bool {
        let Some(document) = self.documents.get_mut(&uri.0) else {
            return false;
        };
        document.version = version;
        document.text.change(changes);
        let path = document.path.clone();
        self.changed(uri.0.clone(), &path);
        true
    }

    /// A document is closed; whether it was open.
    pub fn close(&mut self, uri: &Uri) -> bool {
        let Some(document) = self.documents.remove(&uri.0) else {
            return false;
        };
        self.stale.remove(&uri.0);
        if let Some(parsed) = &document.parsed {
            self.show_parts_again(parsed);
        }
        self.file_changed(&document.path);
        true
    }

    /// A file on the disk, or the buffer that stands for it, is another one now.
    pub fn file_changed(&mut self, path: &str) {
        let concerned = |document: &&Document| {
            document.parsed.as_ref().is_none_or(|parsed| {
                // What was not there may be there now.
                !parsed.document.deferred.is_empty()
                    || parsed.sources.iter().skip(1).any(|source| source.path() == path)
            })
        };
        let list: Vec<String> = self.documents.values().filter(concerned).map(|d| d.uri.0.clone()).collect();
        list.into_iter().for_each(|uri| self.forget(uri));
    }

    fn changed(&mut self, uri: String, path: &str) {
        self.forget(uri);
        self.file_changed(path);
    }

    fn forget(&mut self, uri: String) {
        if let Some(document) = self.documents.get_mut(&uri) {
            let before = document.parsed.take();
            self.stale.insert(uri);
            if let Some(parsed) = before {
                self.show_parts_again(&parsed);
            }
        }
    }

    /// What is said of a document depends on whether another one includes it.
    fn show_parts_again(&mut self, whole: &Parsed) {
        let is_part = |document: &&Document| includes(whole, &document.path);
        let parts: Vec<String> = self.documents.values().filter(is_part).map(|d| d.uri.0.clone()).collect();
        self.stale.extend(parts);
    }

    /// Whether another open document includes this one.
    pub fn is_included(&self, document: &Document) -> bool {
        let other = self.documents.values().filter(|other| other.path != document.path);
        other.filter_map(|other| other.parsed.as_ref()).any(|parsed| includes(parsed, &document.path))
    }

    /// A document whose findings have to be sent, if there is one.
    pub fn take_stale(&mut self) -> Option<String> {
        self.stale.pop_first()
    }

    /// The document of a URI.
    pub fn document(&self, uri: &str) -> Option<&Document> {
        self.documents.get(uri)
    }

    /// The open document of a path.
    pub fn document_at(&self, path: &str) -> Option<&Document> {
        self.documents.values().find(|document| document.path == path)
    }

    /// What is in a document.
    pub fn parsed(&mut self, uri: &str) -> Option<Rc<Parsed>> {
        let document = self.documents.get(uri)?;
        if let Some(parsed) = &document.parsed {
            return Some(parsed.clone());
        }
        let open = self.documents.values().map(|d| (d.path.as_str(), d.text.as_str())).collect();
        let directory = Path::new(&document.path).parent().map(Path::to_owned).unwrap_or_default();
        let loader = Buffers { open, directory };
        let options = ParseOptions { syntax: self.syntax, loader: Some(&loader) };
        let parsed = Rc::new(examine(document.text.as_str(), &document.path, &options));
        self.documents.get_mut(uri)?.parsed = Some(parsed.clone());
        self.show_parts_again(&parsed);
        Some(parsed)
    }
}

fn includes(whole: &Parsed, path: &str) -> bool {
    whole.sources.iter().skip(1).any(|source| source.path() == path)
}
