//! Name servers for scripts inside the new system.

use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::host::root::Root;

/// This machine's name servers, lent to the system while a script runs. What the system gets
/// for good is the image's own business.
pub struct Resolver {
    lent: Option<String>,
}

const RESOLV_CONF: &str = "/etc/resolv.conf";

impl Resolver {
    /// Lends them, if the system has none.
    pub fn lend(host: &dyn Host, system: &dyn Root) -> std::io::Result<Self> {
        let nothing = Resolver { lent: None };
        let Ok(Some(content)) = host.open(Path::new("/")).and_then(|machine| machine.read(RESOLV_CONF)) else {
            return Ok(nothing);
        };
        // A link usually leads into /run, which is a tmpfs of ours now.
        let link = system.read_link(RESOLV_CONF);
        let target = match &link {
            Some(link) => inside_path(Path::new("/etc"), link),
            None => PathBuf::from(RESOLV_CONF),
        };
        let target = target.display().to_string();
        if system.read(&target)?.is_some_and(|text| !text.trim().is_empty()) || target.starts_with("/usr") {
            return Ok(nothing);
        }
        if link.is_some() && !target.starts_with("/run/") {
            return Ok(nothing);
        }
        system.write(&target, content.as_bytes(), 0o644, Some((0, 0)))?;
        Ok(Resolver { lent: (target == RESOLV_CONF).then_some(content) })
    }

    /// Takes them back.
    pub fn take_back(self, system: &dyn Root) -> std::io::Result<()> {
        match self.lent {
            // A script that wrote its own wants to keep it.
            Some(content) if system.read(RESOLV_CONF)?.as_ref() == Some(&content) => system.remove(RESOLV_CONF),
            _ => Ok(()),
        }
    }
}

/// Where `link`, found in the directory `dir`, leads, `..` worked out.
pub fn inside_path(dir: &Path, link: &Path) -> PathBuf {
    let mut path = PathBuf::from("/");
    for part in dir.join(link).components() {
        match part {
            std::path::Component::ParentDir => {
                path.pop();
            }
            std::path::Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_worked_out_inside_the_system() {
        assert_eq!(
            inside_path(Path::new("/etc"), Path::new("../run/systemd/resolve/stub-resolv.conf")),
            Path::new("/run/systemd/resolve/stub-resolv.conf")
        );
        assert_eq!(inside_path(Path::new("/etc"), Path::new("../../../x")), Path::new("/x"));
    }
}
