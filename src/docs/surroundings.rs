//! What the manual pages say beside the options: examples, the environment, files, other pages.
//! One table of each; an entry names the verbs whose pages have it.

use clap::Command;

use super::verbs::{verbs, words as typed};

/// Something that a page names, and the verbs it belongs to.
pub struct Entry {
    /// A variable, a file, or a page.
    pub name: &'static str,
    /// What it is good for.
    pub text: &'static str,
    /// Verbs as they are typed, `iso build`. The page of a verb that has verbs of its own has
    /// what belongs to any of these; an empty list is the command's own page and no other.
    pub verbs: &'static [&'static str],
}

/// Verbs that read an image from where it is.
const IMAGE: &[&str] = &["inspect", "plan", "install", "install to-filesystem", "netboot build", "iso build", "try"];
/// Verbs that make deployments, or installers that do.
const DEPLOY: &[&str] = &["install", "install to-filesystem", "netboot build", "iso build", "try"];
/// Verbs that ask a running boot server, and the server.
const SERVER: &[&str] = &["netboot serve", "netboot arm", "netboot list", "netboot show"];
/// Verbs that show findings in a kickstart.
const FINDINGS: &[&str] = &["check", "flatten", "plan", "install", "iso build", "iso customize", "netboot tree", "try"];

/// A command line and what it does. The line says itself to which verb it belongs.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("bootc-ks check site.ks", "Check a kickstart file:"),
    ("bootc-ks check --fix --diff site.ks", "Show what the certain remedies would change, and write nothing:"),
    (
        "bootc-ks check --format github --deny warnings kickstarts/web.ks kickstarts/db.ks",
        "Check several files in a workflow of GitHub, where a warning fails the run:",
    ),
    ("bootc-ks fmt --check site.ks", "Say whether a file has the canonical form:"),
    ("bootc-ks fmt site.ks", "Rewrite it in that form:"),
    ("bootc-ks convert --to RHEL10 --diff old.ks", "Show what a file needs to be one for RHEL 10:"),
    ("bootc-ks convert --to RHEL10 -o new.ks old.ks", "Write the converted file beside the old one:"),
    ("bootc-ks flatten -o whole.ks site.ks", "Make one file of a kickstart and what it includes:"),
    ("bootc-ks explain L014", "Say what a code means:"),
    ("bootc-ks probe", "Show the disks, their stable names, and what uses them:"),
    ("bootc-ks probe --json", "The same as a document that 'bootc-ks plan --machine' reads:"),
    ("bootc-ks inspect registry.example/os:1", "Show digest, size, kernel and boot loader of an image:"),
    ("bootc-ks inspect --json oci:/media/usb/os:latest", "The same of an OCI layout, as a document:"),
    ("bootc-ks plan site.ks", "Show what an installation would destroy and do here:"),
    (
        "bootc-ks plan site.ks --machine machine.json --image-facts image.json",
        "Plan for another machine, from documents of 'probe --json' and 'inspect --json':",
    ),
    ("bootc-ks install site.ks", "Install, after the plan was shown and the question answered:"),
    (
        "bootc-ks install site.ks --disk-image disk.img --size 20G --yes",
        "Install onto a new disk image, without a question:",
    ),
    (
        "bootc-ks install site.ks --image oci:/media/usb/os:latest",
        "Install the image of a directory; updates come from the kickstart's registry:",
    ),
    (
        "bootc-ks install to-filesystem --source-imgref registry:registry.example/os:1 --karg=console=ttyS0 /mnt",
        "Install into file systems that are mounted below /mnt:",
    ),
    ("bootc-ks status", "Show on an installed machine how it was installed:"),
    ("bootc-ks verify", "Say what is not any more as the installation left it:"),
    ("bootc-ks verify --root /mnt --json", "The same of a system that is mounted, as a document:"),
    (
        "bootc-ks netboot build --image registry.example/os:1 --output env",
        "Make an installer environment out of an image:",
    ),
    ("bootc-ks netboot customize --ks site.ks -o custom.img initrd.img", "Put a kickstart into an installer's initrd:"),
    (
        "bootc-ks netboot tree --environment env --url http://10.0.0.1 --ks site.ks -o tree",
        "Write files for a web server that is there already:",
    ),
    (
        "bootc-ks netboot serve --environment env --machines machines.toml",
        "Serve boot scripts and kickstarts at port 80:",
    ),
    ("bootc-ks netboot arm web-1", "Let a machine be installed at its next boot from the network:"),
    ("bootc-ks netboot list", "List the machines and how far they are:"),
    ("bootc-ks netboot show --log web-1", "Show one machine and the log of its installer:"),
    ("bootc-ks iso build --environment env --ks site.ks -o site.iso", "Make an ISO that installs without a question:"),
    (
        "bootc-ks iso build --environment env --ks site.ks --embed-image registry.example/os:1 -o site.iso",
        "The same with the image on the medium, for machines without a network:",
    ),
    ("bootc-ks iso customize site.iso --ks other.ks --karg inst.noshell", "Change an ISO in place:"),
    ("bootc-ks iso customize site.iso --ks host.ks -o host.iso", "Write a changed copy:"),
    ("bootc-ks iso show site.iso", "Show what was put onto an ISO:"),
    ("bootc-ks iso reset site.iso", "Take it off again:"),
    ("bootc-ks lsp", "Start the language server; editors do this:"),
    ("bootc-ks commands --syntax RHEL10", "List the commands of RHEL 10's kickstart:"),
    ("bootc-ks commands autopart", "Show the options of a command, and what becomes of each here:"),
    (
        "bootc-ks try site.ks --image localhost:5000/os:1 --insecure-registry localhost:5000",
        "Install an image of a registry on this machine in a virtual machine:",
    ),
    ("bootc-ks completions bash", "Print the completion script for bash:"),
];

/// Variables that are read. A test finds every one that the sources read.
pub const ENVIRONMENT: &[Entry] = &[
    Entry {
        name: "BOOTC_KS_LOG",
        text: "What the log has in it: a level (debug, trace) or filters such as installer_core=trace.",
        verbs: &["install", "install to-filesystem", "netboot serve", "lsp", "try"],
    },
    Entry {
        name: "RUST_LOG",
        text: "The same, where BOOTC_KS_LOG is not set and the log goes to standard error.",
        verbs: &["netboot serve", "lsp", "try"],
    },
    Entry {
        name: "BOOTC_KS_WEBHOOK_KEY",
        text: "The key that deliveries of --webhook are signed with, where no --webhook-key-file is named.",
        verbs: &["install"],
    },
    Entry { name: "NO_COLOR", text: "Set to anything, output has no colours.", verbs: FINDINGS },
    Entry { name: "TERM", text: "A terminal that is called dumb gets no colours.", verbs: FINDINGS },
    Entry {
        name: "REGISTRY_AUTH_FILE",
        text: "The first file that is searched for registry credentials.",
        verbs: IMAGE,
    },
    Entry { name: "XDG_RUNTIME_DIR", text: "Credentials in its containers/auth.json are searched next.", verbs: IMAGE },
    Entry {
        name: "XDG_CONFIG_HOME",
        text: "Where containers/auth.json and containers/registries.conf of the user are; ~/.config if it is not set.",
        verbs: IMAGE,
    },
    Entry { name: "HOME", text: "The user's own directory, with the files of podman and Docker.", verbs: IMAGE },
    Entry {
        name: "CONTAINERS_REGISTRIES_CONF",
        text: "A registries.conf(5) that is read instead of the user's and the system's.",
        verbs: IMAGE,
    },
    Entry {
        name: "http_proxy, https_proxy, no_proxy",
        text: "Proxies for registries and kickstarts, and what is reached without; in capitals as well.",
        verbs: IMAGE,
    },
    Entry {
        name: "PATH",
        text: "Where external programs are searched, before /usr/sbin, /usr/bin, /sbin and /bin.",
        verbs: &["install", "install to-filesystem", "netboot build", "iso build", "iso customize", "try"],
    },
    Entry {
        name: "BOOTC_KS_LIBEXEC",
        text: "The only directory where bootc-ks-ostree is searched; see FILES for the others.",
        verbs: DEPLOY,
    },
    Entry {
        name: "SOURCE_DATE_EPOCH",
        text: "The date of everything on the ISO, in seconds since 1970.",
        verbs: &["iso build"],
    },
];

const FILES: &[Entry] = &[
    Entry {
        name: "bootc-ks-ostree",
        text: "The program that makes deployments: beside bootc-ks, in ../libexec/bootc-ks from there, or in \
               /usr/libexec/bootc-ks.",
        verbs: DEPLOY,
    },
    Entry {
        name: "/var/log/bootc-ks/install.log",
        text: "The log of an installation on the machine that installs; --log names another file.",
        verbs: &["install", "install to-filesystem"],
    },
    Entry {
        name: "/var/log/bootc-ks",
        text: "On the installed system, for root alone: the log, plan.json, and kickstart.ks with stars in place of \
               passwords.",
        verbs: &["install"],
    },
    Entry {
        name: "/var/lib/bootc-ks/install.json",
        text: "The record of the installation, in the installed system, for root alone.",
        verbs: &["install", "install to-filesystem", "status", "verify"],
    },
    Entry {
        name: "$XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json, ~/.docker/config.json",
        text: "Registry credentials of the user, as podman and Docker keep them.",
        verbs: IMAGE,
    },
    Entry {
        name: "/run/ostree/auth.json, /etc/ostree/auth.json, /usr/lib/ostree/auth.json",
        text: "Registry credentials of the system.",
        verbs: IMAGE,
    },
    Entry {
        name: "/etc/containers/registries.conf, /etc/containers/registries.conf.d",
        text: "Mirrors, blocked registries, and registries without verified TLS.",
        verbs: IMAGE,
    },
    Entry {
        name: "~/.config/containers/policy.json, /etc/containers/policy.json, /usr/share/containers/policy.json",
        text: "Which images may be used; the first of these files counts.",
        verbs: IMAGE,
    },
    Entry {
        name: "/etc/containers/certs.d/HOST/*.crt",
        text: "Certificate authorities of one registry, or its own certificate.",
        verbs: IMAGE,
    },
    Entry {
        name: "DIR/vmlinuz, DIR/initrd.img, DIR/environment.json, DIR/efi",
        text: "An installer environment: kernel, initramfs, their digests, and boot loaders for UEFI.",
        verbs: &["netboot build", "netboot serve", "netboot tree", "iso build"],
    },
    Entry {
        name: "/var/lib/bootc-ks/netboot.state",
        text: "What the server knows of its machines; --state names another file.",
        verbs: SERVER,
    },
    Entry {
        name: "/var/lib/bootc-ks/netboot.state.admin",
        text: "The token that arming and reading logs need, readable by the owner of the state alone.",
        verbs: SERVER,
    },
];

/// Pages beside those of the verbs above, below and at the side, which need no entry.
pub const SEE_ALSO: &[Entry] = &[
    Entry { name: "bootc-ks-explain(1)", text: "", verbs: &["check", "lsp"] },
    Entry { name: "bootc-ks-fmt(1)", text: "", verbs: &["check", "convert", "flatten"] },
    Entry { name: "bootc-ks-check(1)", text: "", verbs: &["explain", "fmt", "convert", "flatten", "commands", "lsp"] },
    Entry { name: "bootc-ks-status(1)", text: "", verbs: &["install", "verify"] },
    Entry { name: "bootc-ks-verify(1)", text: "", verbs: &["install", "status"] },
    Entry { name: "bootc-ks-plan(1)", text: "", verbs: &["install", "probe", "inspect", "try"] },
    Entry { name: "bootc-ks-install(1)", text: "", verbs: &["plan", "try"] },
    Entry { name: "bootc-ks-probe(1)", text: "", verbs: &["plan", "install"] },
    Entry { name: "bootc-ks-inspect(1)", text: "", verbs: &["check", "plan", "install"] },
    Entry { name: "bootc-ks-netboot-build(1)", text: "", verbs: &["iso build", "try"] },
    Entry { name: "ksvalidator(1)", text: "", verbs: &["check"] },
    Entry { name: "containers-auth.json(5)", text: "", verbs: IMAGE },
    Entry { name: "containers-registries.conf(5)", text: "", verbs: IMAGE },
    Entry { name: "containers-policy.json(5)", text: "", verbs: IMAGE },
    Entry { name: "bootc(8)", text: "", verbs: &["install", "install to-filesystem"] },
    Entry { name: "ostree(1)", text: "", verbs: &["install", "install to-filesystem"] },
    Entry { name: "dnsmasq(8)", text: "", verbs: &["netboot serve", "netboot tree"] },
    Entry { name: "xorriso(1)", text: "", verbs: &["iso build", "iso customize"] },
    Entry { name: "qemu-system-x86_64(1)", text: "", verbs: &["try"] },
];

/// The examples of the verb `words`, or of the verbs below it.
pub fn examples<'a>(whole: &'a Command, words: &'a str) -> impl Iterator<Item = &'a (&'static str, &'static str)> {
    EXAMPLES.iter().filter(move |(line, _)| match_words(&verb_of(whole, line), words))
}

/// The variables that the verb `words` reads.
pub fn environment(words: &str) -> impl Iterator<Item = &'static Entry> {
    of(ENVIRONMENT, words)
}

/// The files that the verb `words` reads and writes.
pub fn files(words: &str) -> impl Iterator<Item = &'static Entry> {
    of(FILES, words)
}

/// Other pages for readers of that of the verb `words`.
pub fn see_also(words: &str) -> impl Iterator<Item = &'static Entry> {
    of(SEE_ALSO, words)
}

fn of<'a>(table: &'static [Entry], words: &'a str) -> impl Iterator<Item = &'static Entry> + use<'a> {
    table.iter().filter(move |entry| entry.verbs.iter().any(|verb| match_words(verb, words)))
}

/// Whether what belongs to `verb` is on the page of `words`: that verb, or one above it.
fn match_words(verb: &str, words: &str) -> bool {
    words.is_empty() || verb == words || verb.strip_prefix(words).is_some_and(|rest| rest.starts_with(' '))
}

/// The verb of a command line: `iso build`.
pub fn verb_of(whole: &Command, line: &str) -> String {
    let mut verb = whole;
    for word in line.split_whitespace().skip(1) {
        match verbs(verb).find(|below| below.get_name() == word) {
            Some(below) => verb = below,
            None => break,
        }
    }
    typed(verb).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn examples_parse() {
        for (line, _) in EXAMPLES {
            let parsed = crate::cli::Cli::command().try_get_matches_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn entries_name_verbs_that_exist() {
        let whole = crate::docs::verbs::whole(&crate::cli::Cli::command());
        for entry in [ENVIRONMENT, FILES, SEE_ALSO].into_iter().flatten() {
            for verb in entry.verbs {
                assert_eq!(verb_of(&whole, &format!("bootc-ks {verb}")), *verb, "{}", entry.name);
            }
        }
    }

    /// Rust files below `dir`, whatever their depth.
    fn sources(dir: &Path, list: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, list);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                list.push(path);
            }
        }
    }

    #[test]
    fn every_variable_that_is_read_is_written_down() {
        // Set by systemd for its services, and of interest to the installer environment alone; by web
        // servers for what they run; and for a test.
        let internal = BTreeSet::from(["INVOCATION_ID", "REQUEST_METHOD", "BOOTC_KS_SEED"]);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for dir in ["src", "installer-core/src", "pxe/src", "isolinux/src"] {
            sources(&root.join(dir), &mut files);
        }
        let mut read = BTreeSet::from(["RUST_LOG".to_owned()]);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for call in
                ["env::var(\"", "env::var_os(\"", "_from_env(\"", "variable(\"", "set(\"", "VARIABLE: &str = \""]
            {
                let names = code.split(call).skip(1).filter_map(|rest| rest.split('"').next());
                read.extend(
                    names.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')).map(str::to_owned),
                );
            }
        }
        // Those in small letters are read in another way.
        let capitals = ENVIRONMENT.iter().filter(|entry| entry.name.chars().all(|c| !c.is_ascii_lowercase()));
        let known: BTreeSet<String> = capitals.map(|entry| entry.name.to_owned()).collect();
        let read: BTreeSet<String> = read.into_iter().filter(|name| !internal.contains(name.as_str())).collect();
        assert_eq!(read, known);
    }
}
