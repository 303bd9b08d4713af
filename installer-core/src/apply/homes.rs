//! The directories that links of the image lead to (`/root` to /var/roothome, `/srv` to /var/srv) and
//! that systemd-tmpfiles makes at the first start. A script or an account may want them before.

use std::path::Path;

use rustix::fs::FileType;

use super::script_resolver::inside_path;
use crate::error::{Context, Result, Stage};
use crate::host::root::Root;

/// Where it reads what to make, the later over the earlier.
const TMPFILES: [&str; 2] = ["usr/lib/tmpfiles.d", "etc/tmpfiles.d"];
/// The types of its lines that make directories.
const DIRECTORIES: &str = "dDvqQe";

/// Makes those of them that are missing.
pub fn make(system: &dyn Root) -> Result<()> {
    let doing = "looking for links into /var";
    let names = system.list("").doing(Stage::Deploy, doing)?;
    let links = names.into_iter().filter(|(_, kind)| *kind == FileType::Symlink).map(|(name, _)| format!("/{name}"));
    let mut wanted = Vec::new();
    for link in links.chain(["/usr/local".to_owned()]) {
        let Some(target) = system.read_link(&link).filter(|_| !system.exists(&link)) else { continue };
        let target = inside_path(Path::new(&link).parent().unwrap_or(Path::new("/")), &target);
        wanted.extend(target.to_str().filter(|target| target.starts_with("/var/")).map(str::to_owned));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let lines = tmpfiles(system).doing(Stage::Deploy, "reading tmpfiles.d")?;
    for target in wanted {
        let line = lines.iter().rev().find(|line| line.path == target);
        let usual = if target == "/var/roothome" { 0o700 } else { 0o755 };
        let (mode, uid, gid) = line.map_or((usual, 0, 0), |line| (line.mode.unwrap_or(usual), line.uid, line.gid));
        system.create_dir(&target, mode, uid, gid).doing(Stage::Deploy, format_args!("making {target}"))?;
    }
    Ok(())
}

/// A line that makes a directory. A name of an owner that is no number is not looked up: it is root's
/// until systemd-tmpfiles comes.
struct Line {
    path: String,
    mode: Option<u32>,
    uid: u32,
    gid: u32,
}

fn tmpfiles(system: &dyn Root) -> std::io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for directory in TMPFILES {
        for (name, _) in system.list(directory)? {
            if name.ends_with(".conf") {
                let text = system.read(&format!("{directory}/{name}")).ok().flatten().unwrap_or_default();
                lines.extend(text.lines().filter_map(line));
            }
        }
    }
    Ok(lines)
}

fn line(text: &str) -> Option<Line> {
    let mut fields = text.split_whitespace();
    let (kind, path) = (fields.next()?, fields.next()?);
    if !kind.starts_with(|first| DIRECTORIES.contains(first)) {
        return None;
    }
    let mut number = |radix| u32::from_str_radix(fields.next()?.trim_start_matches(['~', ':']), radix).ok();
    let (mode, uid, gid) = (number(8), number(10), number(10));
    let path = path.trim_matches('"').trim_end_matches('/').to_owned();
    Some(Line { path, mode, uid: uid.unwrap_or(0), gid: gid.unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;
    use crate::host::root::TargetRoot;

    #[test]
    fn links_into_var_lead_somewhere_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["var/srv", "usr/lib/tmpfiles.d", "etc/tmpfiles.d", "usr/bin"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for (link, to) in [
            ("root", "var/roothome"),
            ("srv", "var/srv"),
            ("opt", "/var/opt"),
            ("mnt", "./var/mnt"),
            ("media", "run/media"),
            ("bin", "usr/bin"),
            ("data", "var/lib/data"),
            ("up", "../../var/up"),
            ("usr/local", "../var/usrlocal"),
        ] {
            symlink(to, at(link)).unwrap();
        }
        let lines = "# x\nd /var/mnt 0711 - - -\nL /var/opt - - - - x\nd /var/lib/data ~2775 0 0\n";
        fs::write(at("usr/lib/tmpfiles.d/a.conf"), lines).unwrap();
        fs::write(at("etc/tmpfiles.d/b.conf"), "q /var/mnt/ 0755 root root -\n").unwrap();
        let root = TargetRoot::open(dir.path()).unwrap().keeping_owners();
        make(&root).unwrap();
        let mode = |name: &str| fs::symlink_metadata(at(name)).map(|meta| meta.mode() & 0o7777).ok();
        assert_eq!(
            ["var/roothome", "var/opt", "var/mnt", "var/lib/data", "var/up", "var/usrlocal"].map(mode),
            [0o700, 0o755, 0o755, 0o2775, 0o755, 0o755].map(Some)
        );
        assert_eq!(mode("run"), None, "only what is kept");
        make(&root).unwrap();
    }
}
