//! The commands that are kickstart, but not supported here: refused by name,
//! or warned about if a container install has no use for them.

use crate::args::spec::{ALL, NO};
use crate::syntax::Life;

/// What becomes of a command that is not supported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// An error: leaving it out would install something else than was asked for.
    Refused,
    /// A warning: it says where packages come from, and there are none.
    NoEffect,
}

/// A command that is known by name.
pub(crate) struct Known {
    pub name: &'static str,
    pub fate: Fate,
    pub life: Life,
}

const fn refused(name: &'static str, life: Life) -> Known {
    Known { name, fate: Fate::Refused, life }
}

const fn no_effect(name: &'static str, life: Life) -> Known {
    Known { name, fate: Fate::NoEffect, life }
}

/// By name, sorted.
pub(crate) const KNOWN: &[Known] = &[
    refused("auth", Life::ALL.removed(10, ALL)),
    refused("authconfig", Life::ALL.removed(10, ALL)),
    refused("authselect", Life::since(8, ALL)),
    refused("autostep", Life::ALL.deprecated(9, ALL).removed(10, 40)),
    refused("bootc", Life::since(10, 43)),
    refused("btrfs", Life::ALL.deprecated(8, NO).removed(10, NO)),
    no_effect("cdrom", Life::ALL),
    refused("device", Life::ALL.deprecated(8, NO).removed(9, ALL)),
    refused("deviceprobe", Life::ALL.deprecated(8, NO).removed(9, ALL)),
    refused("dmraid", Life::ALL.deprecated(8, NO).removed(9, ALL)),
    refused("driverdisk", Life::ALL),
    refused("fcoe", Life::ALL),
    refused("firewall", Life::ALL),
    refused("group", Life::ALL),
    no_effect("harddrive", Life::ALL),
    no_effect("hmc", Life::ALL),
    no_effect("install", Life::ALL.deprecated(8, NO).removed(9, ALL)),
    refused("iscsi", Life::ALL),
    refused("iscsiname", Life::ALL),
    refused("liveimg", Life::ALL),
    refused("logging", Life::ALL),
    refused("logvol", Life::ALL),
    no_effect("mediacheck", Life::ALL),
    no_effect("method", Life::ALL.deprecated(9, ALL).removed(10, 40)),
    no_effect("module", Life::since(8, ALL).deprecated(10, 41).removed(NO, 45)),
    refused("mount", Life::since(8, ALL)),
    refused("multipath", Life::ALL.deprecated(8, NO).removed(9, ALL)),
    no_effect("nfs", Life::ALL),
    refused("nvdimm", Life::ALL.deprecated(NO, 40).removed(10, 45)),
    refused("ostreesetup", Life::ALL),
    refused("raid", Life::ALL),
    refused("rdp", Life::since(10, 43)),
    refused("realm", Life::ALL),
    no_effect("repo", Life::ALL),
    refused("rescue", Life::ALL),
    refused("rhsm", Life::since(8, NO)),
    refused("services", Life::ALL),
    refused("skipx", Life::ALL),
    refused("snapshot", Life::ALL),
    refused("sshpw", Life::ALL),
    refused("stratisfs", Life::since(NO, 45)),
    refused("stratispool", Life::since(NO, 45)),
    refused("syspurpose", Life::since(8, NO)),
    refused("timesource", Life::since(9, ALL)),
    refused("unsupported_hardware", Life::since(ALL, NO).removed(8, NO)),
    refused("updates", Life::ALL),
    refused("upgrade", Life::since(ALL, NO).deprecated(ALL, NO).removed(8, NO)),
    no_effect("url", Life::ALL),
    refused("vnc", Life::ALL.deprecated(10, 43).removed(NO, 45)),
    refused("volgroup", Life::ALL),
    refused("xconfig", Life::ALL),
    refused("zfcp", Life::ALL),
    refused("zipl", Life::since(8, ALL)),
];

pub(crate) fn find(name: &str) -> Option<&'static Known> {
    let at = KNOWN.binary_search_by_key(&name, |k| k.name).ok()?;
    KNOWN.get(at)
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions};

    #[test]
    fn refused_or_without_effect() {
        check(&[
            ("iscsi --target=x --ipaddr=y", &["U001"]),
            ("url --url=http://x", &["W301"]),
            ("repo --name=x --baseurl=y", &["W301"]),
            ("bogus", &["E101"]),
        ]);
    }

    #[test]
    fn versions_of_commands() {
        check_versions(&[
            (Syntax::Rhel10, "auth --x", &["E103"]),
            (Syntax::Rhel8, "device eth", &["W101"]),
            (Syntax::F44, "rhsm --x", &["E102"]),
            (Syntax::Rhel9, "rhsm --x", &["U001"]),
        ]);
    }
}
