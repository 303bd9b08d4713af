//! An installed system as it lies there: the running one, or one that is mounted somewhere. Everything is
//! read through the door that resolves inside a root.

use std::io;
use std::path::Path;

use crate::host::root::{Root, TargetRoot};
use crate::units::Digest;

/// Where libostree keeps deployments, from the root of the disk.
const DEPLOYMENTS: &str = "ostree/deploy";

/// A system whose files can be asked for by the paths that they have when it runs.
pub struct Installed {
    root: Box<dyn Root>,
    /// /var, where it is not below the root.
    var: Option<Box<dyn Root>>,
    /// The root of the disk, with /ostree in it.
    physical: Option<Box<dyn Root>>,
    /// The kernel arguments: those that it runs with, or of the boot entry that comes next.
    kargs: Option<Vec<String>>,
}

impl Installed {
    /// A system that is mounted as it will see itself.
    pub fn at(root: Box<dyn Root>) -> Self {
        Installed { root, var: None, physical: None, kargs: None }
    }

    /// The running one.
    pub fn running() -> io::Result<Self> {
        let root = TargetRoot::open(Path::new("/"))?;
        let kargs = root.read("proc/cmdline")?.map(|line| words(&line));
        let physical = root.enter("sysroot").ok().map(|root| Box::new(root) as Box<dyn Root>);
        Ok(Installed { root: Box::new(root), var: None, physical, kargs })
    }

    /// One that is mounted at `path`: the root of its disk, or the system as it sees itself.
    pub fn below(path: &Path) -> io::Result<Self> {
        let root = TargetRoot::open(path)?;
        if root.is_dir("usr") || !root.is_dir(DEPLOYMENTS) {
            let kargs = next_entry(&root)?;
            let physical = root.enter("sysroot").ok().filter(|root| root.is_dir(DEPLOYMENTS));
            let physical = physical.map(|root| Box::new(root) as Box<dyn Root>);
            return Ok(Installed { root: Box::new(root), var: None, physical, kargs });
        }
        let kargs = next_entry(&root)?;
        let kargs = kargs.ok_or_else(|| io::Error::other("it has deployments, and no boot entry that names one"))?;
        let link = deployment_link(&kargs).unwrap_or_default();
        let (stateroot, name) = deployment(&root, &link)
            .ok_or_else(|| io::Error::other(format!("the boot entry names no deployment that is there ({link})")))?;
        let system = root.enter(&format!("{DEPLOYMENTS}/{stateroot}/deploy/{name}"))?;
        let var = root.enter(&format!("{DEPLOYMENTS}/{stateroot}/var"))?;
        let (var, physical) = (Some(Box::new(var) as Box<dyn Root>), Some(Box::new(root) as Box<dyn Root>));
        Ok(Installed { root: Box::new(system), var, physical, kargs: Some(kargs) })
    }

    /// The root that a path of the running system is below, and the path from there.
    pub fn place<'a>(&self, path: &'a str) -> (&dyn Root, &'a str) {
        match (&self.var, path.trim_start_matches('/').strip_prefix("var")) {
            (Some(var), Some(rest)) if rest.is_empty() || rest.starts_with('/') => {
                (var.as_ref(), rest.trim_start_matches('/'))
            }
            _ => (self.root.as_ref(), path),
        }
    }

    /// A path in a home as it is without the links at the root, which may lead into /var.
    pub fn without_links(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let Some((top, rest)) = path.trim_start_matches('/').split_once('/') else { break };
            let Some(link) = self.root.read_link(top) else { break };
            path = format!("/{}/{rest}", link.to_string_lossy().trim_start_matches('/'));
        }
        path
    }

    /// The text of a file; `None` where there is none.
    pub fn read(&self, path: &str) -> io::Result<Option<String>> {
        let (root, path) = self.place(path);
        root.read(path)
    }

    /// The kernel arguments, where they can be known.
    pub fn kargs(&self) -> Option<&[String]> {
        self.kargs.as_deref()
    }

    /// The commit that is deployed, where that can be known.
    pub fn commit(&self) -> Option<String> {
        let link = deployment_link(self.kargs()?)?;
        let (_, name) = deployment(self.physical.as_deref()?, &link)?;
        Some(name.split_once('.').map_or(name.as_str(), |(commit, _)| commit).to_owned())
    }

    /// The manifest of the image that `commit` was made from.
    pub fn image_of(&self, commit: &str) -> Option<Digest> {
        const KEY: &[u8] = b"ostree.manifest-digest\0";
        /// Of a digest in text.
        const LENGTH: usize = 71;
        let (first, rest) = commit.split_at_checked(2)?;
        let object =
            self.physical.as_deref()?.read_bytes(&format!("ostree/repo/objects/{first}/{rest}.commit")).ok()?;
        // The value is the string behind the key, at the next boundary of eight bytes of its container.
        let behind = object.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
        (behind..behind + 8).find_map(|at| std::str::from_utf8(object.get(at..at + LENGTH)?).ok()?.parse().ok())
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The kernel arguments of the boot entry that comes first at the next start: libostree numbers them.
fn next_entry(root: &dyn Root) -> io::Result<Option<Vec<String>>> {
    const ENTRIES: &str = "boot/loader/entries";
    let mut best: Option<(u64, Vec<String>)> = None;
    for (name, _) in root.list(ENTRIES)? {
        let text = root.read(&format!("{ENTRIES}/{name}"))?.unwrap_or_default();
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        let version = value("version").and_then(|version| version.trim().parse().ok()).unwrap_or(0);
        let Some(options) = value("options") else { continue };
        if best.as_ref().is_none_or(|(other, _)| *other < version) {
            best = Some((version, words(options)));
        }
    }
    Ok(best.map(|(_, options)| options))
}

/// The link that names the deployment, `ostree/boot.1/STATEROOT/…/0`.
fn deployment_link(kargs: &[String]) -> Option<String> {
    let link = kargs.iter().find_map(|karg| karg.strip_prefix("ostree="))?;
    Some(link.trim_start_matches('/').to_owned())
}

/// The stateroot and the directory's name, `COMMIT.0`, of the deployment that `link` leads to.
fn deployment(physical: &dyn Root, link: &str) -> Option<(String, String)> {
    let target = physical.read_link(link)?;
    let parts: Vec<String> = target.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    match parts.as_slice() {
        [.., stateroot, deploy, name] if deploy == "deploy" => Some((stateroot.clone(), name.clone())),
        _ => None,
    }
}
