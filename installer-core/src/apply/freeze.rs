//! File systems that another program has mounted, at the end: they stay mounted, perhaps in more
//! places than their owner knows of (services have mounts of their own) and until the power goes,
//! and a boot loader reads them without their journals. To stand still for a moment brings
//! everything to its place. bootc does the same.

use std::path::Path;

use crate::plan::Step;
use crate::program::Program;
use crate::request::Purpose;
use crate::storage::select::Target;

use super::run::Run;

/// Those that can.
const FREEZABLE: [&str; 5] = ["btrfs", "ext2", "ext3", "ext4", "xfs"];
/// One child for both: nothing of ours may want to write in between.
const SCRIPT: &str = "fsfreeze --freeze \"$0\" && fsfreeze --unfreeze \"$0\"";

/// Lets each of them stand still; one that does not is warned about. What cannot stand still is
/// written out all the same.
pub fn of_what_stays_mounted(run: &mut Run<'_>) {
    let Target::Filesystem { path: root, .. } = &run.plan.target else { return };
    let places = run.plan.steps.iter().filter_map(|step| match step {
        Step::Adopt { purpose: Purpose::Mount(at), filesystem, .. } => {
            let freezable = FREEZABLE.contains(&filesystem.as_str());
            Some((Path::new(root).join(at.as_str().trim_start_matches('/')), freezable))
        }
        _ => None,
    });
    for (place, freezable) in places {
        run.host.write_out(&place);
        if !freezable {
            continue;
        }
        let mut freeze = Program::new("sh").args(["-c", SCRIPT]).arg(place.display().to_string());
        // If we are killed it must not stay frozen.
        freeze.outlives = true;
        if let Err(error) = run.host.uninterrupted().run(&freeze, &mut |_| ()) {
            run.warn(format!("a boot loader may not find all of {} before it is unmounted: {error}", place.display()));
        }
    }
}
