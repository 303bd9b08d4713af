//! The checksum that installers of Fedora's family have in their media, for `rd.live.check` in
//! their menus. A changed copy has to have a new one.

use std::path::Path;

use installer_core::Result;
use installer_core::host::{Host, ProgramError};
use installer_core::program::Program;

use crate::program::not_done;

/// A checksum among what the volume descriptor has for applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Implanted {
    /// Whether the maker of the medium says that it need not be tested.
    supported: bool,
}

impl Implanted {
    pub fn find(application_use: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(application_use);
        text.contains("ISO MD5SUM = ").then(|| Implanted { supported: text.contains("RHLISOSTATUS=1") })
    }

    /// Puts one of the same kind into the medium at `iso`; says no where the program for that is
    /// missing.
    pub fn renew(self, iso: &Path, host: &dyn Host) -> Result<bool> {
        let supported = self.supported.then_some("--supported-iso");
        let program = Program::new("implantisomd5").arg("--force").args(supported).arg(iso.display().to_string());
        match host.run(&program, &mut |_| {}) {
            Ok(()) => Ok(true),
            Err(ProgramError::Missing { .. }) => Ok(false),
            Err(error) => Err(not_done(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use installer_core::host::Mount;

    /// A machine that has no program at all.
    struct Bare;

    impl Host for Bare {
        fn run(&self, program: &Program, _: &mut dyn FnMut(&str)) -> Result<(), ProgramError> {
            Err(ProgramError::Missing { name: program.name.clone(), purpose: None })
        }

        fn mount(&self, _: &Mount) -> std::io::Result<()> {
            unreachable!("nothing is mounted for a checksum")
        }

        fn unmount(&self, _: &Path) -> std::io::Result<()> {
            unreachable!("nothing is mounted for a checksum")
        }

        fn uninterrupted(&self) -> &dyn Host {
            self
        }
    }

    #[test]
    fn without_the_program_there_is_none_and_no_failure() {
        assert!(!Implanted { supported: true }.renew(Path::new("x.iso"), &Bare).unwrap());
    }

    #[test]
    fn a_checksum_is_seen_among_other_things() {
        let sum = b"ISO MD5SUM = 0123456789abcdef0123456789abcdef;SKIPSECTORS = 15;RHLISOSTATUS=0;";
        assert_eq!(Implanted::find(sum), Some(Implanted { supported: false }));
        assert_eq!(Implanted::find(b"ISO MD5SUM = 0;RHLISOSTATUS=1"), Some(Implanted { supported: true }));
        assert_eq!(Implanted::find(&[0; 512]), None);
    }
}
