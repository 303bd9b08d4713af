//! Which commands were written, understood or not.

use crate::commands;
use crate::document::{Document, Statement};

/// Commands that may make a root file system.
pub(super) const STORAGE: &[&str] =
    &["autopart", "btrfs", "logvol", "mount", "part", "partition", "raid", "stratisfs", "stratispool", "volgroup"];

/// Commands that say what to install.
pub(super) const IMAGE: &[&str] = &["ostreecontainer", "bootc", "ostreesetup", "liveimg"];

/// How often each command was written, understood or not. A command whose
/// line has a mistake is not *missing*.
pub(super) struct Written([u32; commands::COMMANDS.len()]);

impl Written {
    pub fn of(document: &Document) -> Written {
        let mut written = [0; commands::COMMANDS.len()];
        for statement in &document.statements {
            if let Statement::Command(line) = statement
                && let Some(count) =
                    line.words.first().and_then(|name| written.get_mut(commands::position(&name.value)?))
            {
                *count += 1;
            }
        }
        Written(written)
    }

    pub fn count(&self, name: &str) -> usize {
        let count = commands::position(name).and_then(|at| self.0.get(at));
        count.map_or(0, |count| *count as usize)
    }

    pub fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|n| self.count(n) > 0)
    }
}
