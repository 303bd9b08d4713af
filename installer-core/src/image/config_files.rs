//! What an image's own configuration files say: text in, answers out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result, Stage};

use crate::units::Stateroot;

use super::facts::InstallConfig;

#[derive(Deserialize)]
struct InstallFile {
    #[serde(default)]
    install: Option<Install>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Install {
    filesystem: Option<Filesystem>,
    /// The older spelling of `filesystem.root.type`.
    root_fs_type: Option<String>,
    kargs: Vec<String>,
    karg_deletes: Vec<String>,
    stateroot: Option<String>,
    match_architectures: Option<Vec<String>>,
    #[serde(flatten)]
    others: BTreeMap<String, toml::Value>,
}

/// Keys that ask for nothing here: which ways of `bootc install to-disk` are allowed.
const IDLE: [&str; 1] = ["block"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filesystem {
    root: Option<RootFilesystem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RootFilesystem {
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct KargsFile {
    #[serde(default)]
    kargs: Vec<String>,
    #[serde(default)]
    match_architectures: Option<Vec<String>>,
}

/// The install configuration out of its fragments (path → text): later ones override, kernel
/// arguments add up. A file in etc hides one of the same name in usr.
pub(super) fn install_config(files: &BTreeMap<String, Vec<u8>>, arch: &str) -> Result<InstallConfig> {
    let mut merged = InstallConfig::default();
    for (path, text) in by_name(files) {
        let file: InstallFile = parse(path, text)?;
        let install = file.install.unwrap_or_default();
        if !applies(install.match_architectures.as_deref(), arch) {
            continue;
        }
        let root = install.filesystem.and_then(|f| f.root).and_then(|root| root.kind).or(install.root_fs_type);
        let root = root.map(|root| word(path, "the type of the root file system", root)).transpose()?;
        if let Some(name) = &install.stateroot {
            name.parse::<Stateroot>().map_err(|why| unreadable(path, &format!("stateroot {name:?}: {why}")))?;
        }
        check_kargs(path, &install.kargs)?;
        merged.root_fs = root.or(merged.root_fs);
        merged.stateroot = install.stateroot.or(merged.stateroot);
        merged.kargs.extend(install.kargs);
        merged.karg_deletes.extend(install.karg_deletes);
        merged.not_followed.extend(install.others.into_keys().filter(|key| !IDLE.contains(&key.as_str())));
    }
    merged.not_followed.sort();
    merged.not_followed.dedup();
    Ok(merged)
}

/// Kernel arguments out of kargs.d (path → text) for `arch` in OCI's words, in order.
pub(super) fn kargs(files: &BTreeMap<String, Vec<u8>>, arch: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for (path, text) in by_name(files) {
        let file: KargsFile = parse(path, text)?;
        if applies(file.match_architectures.as_deref(), arch) {
            check_kargs(path, &file.kargs)?;
            all.extend(file.kargs);
        }
    }
    Ok(all)
}

/// In the order of the files' names, one file per name: etc before usr/local before usr.
fn by_name(files: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = (&str, &[u8])> {
    let rank = |path: &str| u8::from(path.starts_with("usr/local/")) + 2 * u8::from(path.starts_with("etc/"));
    let mut chosen: BTreeMap<&str, (&str, &[u8])> = BTreeMap::new();
    for (path, text) in files {
        let name = path.rsplit('/').next().unwrap_or(path);
        let slot = chosen.entry(name).or_insert((path, text));
        if rank(path) > rank(slot.0) {
            *slot = (path, text);
        }
    }
    chosen.into_values()
}

fn parse<T: DeserializeOwned>(path: &str, text: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(text).map_err(|error| unreadable(path, &error.to_string()))?;
    toml::from_str(text).map_err(|error| unreadable(path, error.message()))
}

fn unreadable(path: &str, why: &str) -> Error {
    Error::world(Stage::Resolve, format!("/{path} of the image cannot be followed: {why}"))
        .hint("correct it in the image")
}

/// Kernel arguments become a line of the boot entry.
fn check_kargs(path: &str, kargs: &[String]) -> Result<()> {
    match kargs.iter().find(|karg| karg.chars().any(char::is_control)) {
        Some(karg) => Err(unreadable(path, &format!("the kernel argument {karg:?} has a control character in it"))),
        None => Ok(()),
    }
}

/// A plain word, as names of file systems are.
fn word(path: &str, what: &str, word: String) -> Result<String> {
    let plain = !word.is_empty() && word.len() <= 32 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { Ok(word) } else { Err(unreadable(path, &format!("{what} is {word:?}"))) }
}

/// bootc's files name architectures as Rust does, images as Go does.
fn applies(wanted: Option<&[String]>, arch: &str) -> bool {
    let names: &[&str] = match arch {
        "amd64" => &["x86_64"],
        "arm64" => &["aarch64"],
        "386" => &["x86"],
        "ppc64le" => &["powerpc64", "ppc64le"],
        "loong64" => &["loongarch64"],
        _ => &[],
    };
    wanted.is_none_or(|wanted| wanted.iter().any(|name| name == arch || names.contains(&name.as_str())))
}

/// The policy that etc/selinux/config names, if it enables SELinux at all.
pub(super) fn selinux_policy(text: &str) -> Option<String> {
    let value = |key: &str| {
        let mut values =
            text.lines().filter_map(|line| line.trim().split_once('=')).filter(|(name, _)| name.trim() == key);
        values.next_back().map(|(_, value)| value.trim().trim_matches('"').to_owned())
    };
    let mode = value("SELINUX")?.to_ascii_lowercase();
    if !matches!(mode.as_str(), "enforcing" | "permissive") {
        return None;
    }
    value("SELINUXTYPE").filter(|name| !name.is_empty())
}

/// Whether prepare-root.conf insists on composefs; `None` if it says nothing or `maybe`.
pub(super) fn composefs(text: &str) -> Option<bool> {
    let mut inside = false;
    let mut answer = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[composefs]";
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if inside && key.trim() == "enabled" {
            answer = match value.trim().to_ascii_lowercase().as_str() {
                "yes" | "true" | "1" | "signed" | "verity" => Some(true),
                "no" | "false" | "0" => Some(false),
                _ => None,
            };
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn fragments_merge_in_order_of_their_names() {
        let dir = "usr/lib/bootc/install";
        let list = files(&[
            (&format!("{dir}/10-a.toml"), "[install]\nroot-fs-type = \"ext4\"\nkargs = [\"a\"]\nstateroot = \"one\""),
            (
                &format!("{dir}/20-b.toml"),
                "[install.filesystem.root]\ntype = \"xfs\"\n[install]\nkargs = [\"b=1\", \"c\"]\nblock = [\"direct\"]",
            ),
            (
                &format!("{dir}/30-c.toml"),
                "[install]\nmatch-architectures = [\"aarch64\"]\nkargs = [\"arm\"]\nroot-fs-type = \"btrfs\"",
            ),
            (&format!("{dir}/40-d.toml"), "[install]\nkargs = [\"hidden\"]"),
            ("etc/bootc/install/40-d.toml", "[install]\nkargs = [\"local\"]"),
            (
                &format!("{dir}/50-e.toml"),
                "[install]\nkarg-deletes = [\"b\"]\nroot-mount-spec = \"LABEL=x\"\n[install.ostree]\nx = 1",
            ),
            (&format!("{dir}/60-f.toml"), ""),
        ]);
        let amd = install_config(&list, "amd64").unwrap();
        assert_eq!((amd.root_fs.as_deref(), amd.stateroot.as_deref()), (Some("xfs"), Some("one")));
        assert_eq!(amd.kargs, ["a", "b=1", "c", "local"]);
        assert_eq!(
            (amd.karg_deletes, amd.not_followed),
            (vec!["b".into()], vec!["ostree".into(), "root-mount-spec".into()])
        );
        assert_eq!(install_config(&list, "arm64").unwrap().root_fs.as_deref(), Some("btrfs"));
        let error =
            install_config(&files(&[("usr/lib/bootc/install/x.toml", "[install]\nkargs = 3")]), "amd64").unwrap_err();
        assert!(error.to_string().contains("/usr/lib/bootc/install/x.toml"), "{error}");
    }

    #[test]
    fn kargs_go_by_architecture() {
        let list = files(&[
            ("usr/lib/bootc/kargs.d/20.toml", "kargs = [\"x\"]\nmatch-architectures = [\"x86_64\"]"),
            ("usr/lib/bootc/kargs.d/10.toml", "kargs = [\"console=ttyS0\", \"y\"]"),
        ]);
        assert_eq!(kargs(&list, "amd64").unwrap(), ["console=ttyS0", "y", "x"]);
        assert_eq!(kargs(&list, "arm64").unwrap(), ["console=ttyS0", "y"]);
    }

    #[test]
    fn selinux_and_composefs() {
        assert_eq!(
            selinux_policy("# SELINUX=disabled\nSELINUX=enforcing\n SELINUXTYPE = targeted\n").as_deref(),
            Some("targeted")
        );
        assert_eq!(selinux_policy("SELINUX=permissive\nSELINUXTYPE=default").as_deref(), Some("default"));
        assert_eq!(selinux_policy("SELINUX=disabled\nSELINUXTYPE=targeted"), None);
        assert_eq!(selinux_policy("SELINUX=enforcing"), None);
        for (value, answer) in [
            ("yes", Some(true)),
            ("true", Some(true)),
            ("verity", Some(true)),
            ("signed", Some(true)),
            ("no", Some(false)),
            ("false", Some(false)),
            ("maybe", None),
        ] {
            assert_eq!(
                composefs(&format!(
                    "[sysroot]\nenabled=yes\nreadonly = true\n[composefs]\n# x\nenabled = {value}\n[etc]\nenabled=no\n"
                )),
                answer,
                "{value}"
            );
        }
        assert_eq!(composefs("[sysroot]\nenabled=yes\n"), None);
    }
}
