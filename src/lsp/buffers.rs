//! The files that a document includes: what the editor has open wins over the disk.
//!
//! Names are looked for where `bootc-ks check`, started beside the document, would look:
//! beside the document, then beside the file that includes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use installer_core::prepare::loader::FileLoader;
use kickstart_parser::{IncludeRequest, LoadError, Loaded, Loader};

/// Loads what one document includes.
pub struct Buffers<'a> {
    /// The texts that are open, by path.
    pub open: HashMap<&'a str, &'a str>,
    /// The directory of the document.
    pub directory: PathBuf,
}

impl Loader for Buffers<'_> {
    fn load(&self, request: IncludeRequest<'_>) -> Result<Loaded, LoadError> {
        if request.name.contains("://") || request.from.contains("://") {
            return FileLoader::new().load(request);
        }
        let beside = |directory: &Path| directory.join(request.name).components().collect::<PathBuf>();
        let from = Path::new(request.from).parent().unwrap_or(Path::new(""));
        let paths = [beside(&self.directory), beside(from)];
        for path in &paths {
            let path = path.to_string_lossy();
            if let Some(text) = self.open.get(path.as_ref()) {
                return Ok(Loaded { path: path.into_owned(), text: (*text).to_owned() });
            }
            match fs::metadata(path.as_ref()) {
                // A terminal, a pipe or /dev/zero would be read for ever.
                Ok(about) if !about.is_file() => {
                    return Err(LoadError { message: "it is not a regular file".to_owned(), help: None });
                }
                Ok(_) => return from_disk(request, &path),
                Err(_) => {}
            }
        }
        from_disk(request, &paths[1].to_string_lossy())
    }
}

fn from_disk(request: IncludeRequest<'_>, path: &str) -> Result<Loaded, LoadError> {
    let mut request = request;
    request.name = path;
    FileLoader::new().load(request)
}
