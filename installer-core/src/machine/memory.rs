//! How much memory there is, and how much of it is free.

use std::path::Path;

use crate::units::Bytes;

/// What installing itself may need, whatever the image; the rest can hold what was downloaded.
const FOR_THE_WORK: Bytes = Bytes::gib(1);

/// What /proc/meminfo says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the kernel has.
    pub total: Bytes,
    /// What could be had without pushing anything out.
    pub available: Bytes,
}

impl Memory {
    /// Of this machine; `None` if /proc does not say.
    pub fn now() -> Option<Self> {
        Self::read(Path::new("/proc"))
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

    /// What can hold downloads while an installation goes on.
    pub fn spare(self) -> Bytes {
        Bytes(self.available.0.saturating_sub(FOR_THE_WORK.0))
    }
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
}
