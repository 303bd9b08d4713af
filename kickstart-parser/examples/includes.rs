//! Includes that come out of a map: a loader decides what an `%include` may see.

#![allow(clippy::print_stdout)]

use std::collections::HashMap;

use kickstart_parser::{IncludeRequest, LoadError, Loaded, Loader, ParseOptions, parse};

/// Knows a few files, and nothing of the file system.
struct Library(HashMap<&'static str, &'static str>);

impl Loader for Library {
    fn load(&self, request: IncludeRequest<'_>) -> Result<Loaded, LoadError> {
        match self.0.get(request.name) {
            // The path must be the same for the same file: cycles are found by it.
            Some(text) => Ok(Loaded { path: format!("library/{}", request.name), text: (*text).to_owned() }),
            None => Err(LoadError {
                message: "it is not in the library".to_owned(),
                help: Some("the library has disks.ks and users.ks".to_owned()),
            }),
        }
    }
}

fn main() {
    let library = Library(HashMap::from([
        ("disks.ks", "clearpart --all\nautopart --type=lvm\n"),
        ("users.ks", "user --name=ann --groups=wheel\nuser --nmae=bob\n"),
    ]));
    let text = "%include disks.ks\n%include users.ks\n%include network.ks\n";
    let parsed = parse(text, "site.ks", &ParseOptions { loader: Some(&library), ..ParseOptions::default() });

    println!("{} partitioning", parsed.kickstart.autopart.map_or("no", |_| "automatic"));
    println!("{} users", parsed.kickstart.users.len());
    for finding in &parsed.diagnostics {
        println!("{}", finding.resolve(&parsed.sources));
        if let Some(help) = &finding.help {
            println!("    {help}");
        }
    }
}
