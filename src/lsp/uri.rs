//! Names of documents: the editor's URIs, the parser's paths.

use std::path::Path;

use gen_lsp_types::Uri;
use url::Url;

/// What the parser calls a document: its path, or the URI of one that is no file.
pub fn path_of(uri: &Uri) -> String {
    let file = Url::parse(&uri.0).ok().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
    match file {
        Some(path) => path.to_string_lossy().into_owned(),
        None => uri.0.clone(),
    }
}

/// The URI of a path that the parser gave, or of a URL.
pub fn of_path(path: &str) -> Option<Uri> {
    if path.contains("://") {
        return Url::parse(path).ok().map(|_| Uri(path.to_owned()));
    }
    Url::from_file_path(Path::new(path)).ok().map(|url| Uri(url.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (uri, path) in [
            ("file:///a/b%20c.ks", "/a/b c.ks"),
            ("file:///%C4%8D.ks", "/č.ks"),
            ("untitled:Untitled-1", "untitled:Untitled-1"),
            ("http://h/x.ks", "http://h/x.ks"),
            ("no uri", "no uri"),
        ] {
            assert_eq!(path_of(&uri.into()), path);
        }
        assert_eq!(of_path("/a/b c.ks"), Some("file:///a/b%20c.ks".into()));
        assert_eq!(of_path("http://h/x.ks"), Some("http://h/x.ks".into()));
        assert_eq!(of_path("relative.ks"), None);
    }
}
