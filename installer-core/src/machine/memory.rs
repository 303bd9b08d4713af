//! How much memory there is, and how much of it is free.

use std::path::Path;

use super::sysfs::{number, text};
use crate::units::Bytes;

/// What installing itself may need, whatever the image; the rest can hold what was downloaded.
pub(crate) const FOR_THE_WORK: Bytes = Bytes::gib(1);

/// What /proc/meminfo says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the kernel has.
    pub total: Bytes,
    /// What could be had without pushing anything out.
    pub available: Bytes,
}

impl Memory {
    /// Of this machine, as far as this process may have it; `None` if /proc does not say.
    pub fn now() -> Option<Self> {
        let proc = Path::new("/proc");
        let machine = Self::read(proc)?;
        let allowed = limit(proc, Path::new("/sys/fs/cgroup")).unwrap_or(machine.available);
        Some(Memory { available: machine.available.min(allowed), ..machine })
    }

    /// Of the machine whose /proc this is.
    pub(super) fn read(proc: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(proc.join("meminfo")).ok()?)
    }

    /// Out of meminfo's text, which counts in KiB. Before Linux 3.14 nothing was said of what is
    /// available.
    pub fn parse(meminfo: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(Bytes(number << 10))
        };
        let available = value("MemAvailable").or_else(|| value("MemFree"));
        Some(Memory { total: value("MemTotal")?, available: available.unwrap_or_default() })
    }

    /// What is missing for holding downloads of `size` while an installation goes on.
    pub fn missing_for(self, size: Bytes) -> Bytes {
        size + FOR_THE_WORK - self.available
    }

    /// What can hold downloads while an installation goes on.
    pub fn spare(self) -> Bytes {
        Bytes(self.available.0.saturating_sub(FOR_THE_WORK.0))
    }
}

/// What the control groups that this process is in (of a container, of a systemd unit) still let it
/// have; `None` where none of them has a limit. Limits of version 1 and 2; what a group can give back
/// at once (inactive pages of files) is not counted as used.
fn limit(proc: &Path, groups: &Path) -> Option<Bytes> {
    let mut least = None;
    for line in text(proc.join("self/cgroup")).unwrap_or_default().lines() {
        // hierarchy:controllers:path
        let Some((controllers, path)) = line.split_once(':').and_then(|(_, rest)| rest.split_once(':')) else {
            continue;
        };
        let (top, most, used) = match controllers {
            "" => (groups.to_owned(), "memory.max", "memory.current"),
            "memory" => (groups.join("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
            _ => continue,
        };
        let group = top.join(path.trim_start_matches('/'));
        // A group has at most what those above it have.
        for group in group.ancestors().take_while(|group| group.starts_with(&top)) {
            let Some((most, used)) = number(group.join(most)).zip(number(group.join(used))) else { continue };
            let room = Bytes(most.saturating_sub(used.saturating_sub(inactive(group))));
            least = Some(least.map_or(room, |least: Bytes| least.min(room)));
        }
    }
    least
}

fn inactive(group: &Path) -> u64 {
    let stat = text(group.join("memory.stat")).unwrap_or_default();
    let line = stat.lines().find_map(|line| line.strip_prefix("inactive_file "));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_machines_have_none_to_spare() {
        let of = |mib: u64| {
            Memory::parse(&format!("MemTotal: 99999999 kB\nMemFree: 1 kB\nMemAvailable:   {} kB\n", mib << 10))
                .unwrap()
                .spare()
        };
        assert_eq!([of(512), of(2048), of(4096), of(16384)], [0, 1, 3, 15].map(Bytes::gib));
        assert_eq!(Memory::parse("MemTotal: 2 kB\nMemFree: 1 kB\n").unwrap().available, Bytes(1024));
        assert_eq!(Memory::parse("MemFree: 1 kB\n"), None);
    }

    #[test]
    fn a_group_has_what_it_and_those_above_it_may_have() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let of = || limit(&dir.path().join("proc"), &dir.path().join("groups"));
        assert_eq!(of(), None);
        write("proc/self/cgroup", "4:cpu:/x\n1:memory:/old\n0::/a/b\n");
        write("groups/a/b/memory.max", "max\n");
        write("groups/a/b/memory.current", "9\n");
        assert_eq!(of(), None);
        write("groups/a/memory.max", "1000\n");
        write("groups/a/memory.current", "700\n");
        assert_eq!(of(), Some(Bytes(300)));
        write("groups/a/memory.stat", "anon 1\ninactive_file 200\n");
        assert_eq!(of(), Some(Bytes(500)));
        write("groups/memory/old/memory.limit_in_bytes", "100\n");
        write("groups/memory/old/memory.usage_in_bytes", "60\n");
        assert_eq!(of(), Some(Bytes(40)));
        write("groups/memory/old/memory.usage_in_bytes", "160\n");
        assert_eq!(of(), Some(Bytes(0)));
    }
}
