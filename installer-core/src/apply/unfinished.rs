//! Until everything is done, the boot menu on the disk says that it is not.
//!
//! libostree writes the boot entry when it deploys, long before accounts, files and scripts are there.
//! So the directory that the entry is in (`/boot/loader.1`) changes places with one that has nothing but
//! a notice. In the mounts of this installation the real one is laid over it, so that scripts find and
//! change the entries where they belong. The last thing that an installation does to the disk is to let
//! the two change places again: one rename, for every firmware and every boot loader. Whatever ends it
//! before leaves a disk that starts no system and says why.

use super::places::Withheld;
use super::run::Run;
use crate::error::{Context, Result, Stage};
use crate::host::{Mount, MountKind};
use crate::plan::Step;

/// Where the entries are kept meanwhile. libostree and boot loaders know no such name.
const KEPT: &str = "boot/loader.bootc-ks";
/// What leads to the entries.
const LINK: &str = "boot/loader";
/// What a person reads.
pub const NOTICE: &str = "This installation was not finished. Install again.";

/// Hides the boot entry that was just made.
pub fn begin(run: &mut Run<'_>) -> Result<()> {
    let doing = "hiding the boot entry until everything is done";
    let root = run.physical(Stage::Deploy)?;
    let place = match root.read_link(LINK) {
        Some(link) => format!("boot/{}", link.display()),
        None => LINK.to_owned(),
    };
    let serial = run.kargs.iter().any(|karg| karg.starts_with("console=ttyS"));
    root.create_dirs(&format!("{KEPT}/entries")).doing(Stage::Deploy, doing)?;
    let entry = format!("{KEPT}/entries/bootc-ks-unfinished.conf");
    root.write(&entry, notice_entry().as_bytes(), 0o644, None).doing(Stage::Deploy, doing)?;
    root.write(&format!("{KEPT}/grub.cfg"), notice_menu(serial).as_bytes(), 0o644, None).doing(Stage::Deploy, doing)?;
    root.exchange(&place, KEPT).doing(Stage::Deploy, doing)?;
    let kept = run.physical_root().join(KEPT);
    if let Some(deployed) = &mut run.deployed
        && let Some(name) = deployed.entry.file_name().map(std::ffi::OsStr::to_owned)
    {
        deployed.entry = kept.join("entries").join(name);
    }
    run.withheld = Some(Withheld { place: place.clone(), mark: run.teardown.mark() });
    let target = run.physical_root().join(place);
    run.mount(Stage::Deploy, &Mount { source: kept.display().to_string(), target, kind: MountKind::Bind })
}

/// Shows the entries in the system's own /boot as well, which has been mounted meanwhile.
pub fn show_in_system(run: &mut Run<'_>) -> Result<()> {
    let Some(Withheld { place, .. }) = &run.withheld else { return Ok(()) };
    let (source, target) = (run.physical_root().join(KEPT).display().to_string(), run.system_root().join(place));
    run.mount(Stage::Deploy, &Mount { source, target, kind: MountKind::Bind })
}

/// The path of a file beside the entries, from the target's root.
pub fn beside_entries(run: &Run<'_>, name: &str) -> String {
    format!("{}/{name}", if run.withheld.is_some() { KEPT } else { LINK })
}

/// Lets boot loaders find the entries: everything else is on the disk when that is written.
pub fn end(run: &mut Run<'_>) -> Result<()> {
    let Some(mark) = run.withheld.as_ref().map(|withheld| withheld.mark) else { return Ok(()) };
    write_out(run);
    // The system's own mounts would be in the way.
    run.teardown.unwind_to(mark, run.host)?;
    let Some(Withheld { place, .. }) = run.withheld.take() else { return Ok(()) };
    let doing = "letting the boot loader find the system";
    let root = run.physical(Stage::Finish)?;
    write_out(run);
    root.exchange(&place, KEPT).doing(Stage::Finish, doing)?;
    run.bootable = true;
    // The notice is not read any more.
    for directory in [format!("{KEPT}/entries"), KEPT.to_owned()] {
        if let Err(error) = root.remove_mount_points(&directory) {
            run.warn(format!("the notice of an unfinished installation stays in {directory}: {error}"));
            break;
        }
    }
    Ok(())
}

/// Has everything that was written reach the disk.
fn write_out(run: &Run<'_>) {
    let places = run.plan.steps.iter().filter_map(|step| match step {
        Step::Mount { at, .. } => Some(super::storage::place(run.plan, at)),
        _ => None,
    });
    let root = run.physical_root();
    run.host.write_out(&root);
    places.filter(|place| !place.is_empty()).for_each(|place| run.host.write_out(&root.join(place)));
}

/// For boot loaders that read the entries. What it names is not there, so that none starts it; the
/// loader's own message says the rest.
fn notice_entry() -> String {
    format!("title {NOTICE}\nversion 1\nlinux /installation-not-finished\n")
}

/// For a GRUB that has its menu beside them.
fn notice_menu(serial: bool) -> String {
    let serial = if serial {
        "serial --unit=0 --speed=115200\nterminal_input console serial\nterminal_output console serial\n"
    } else {
        ""
    };
    format!("{serial}set timeout=-1\nmenuentry '{NOTICE}' {{\n  echo '{NOTICE}'\n  sleep 10\n}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_is_a_boot_entry_that_starts_nothing() {
        let entry = notice_entry();
        assert!(entry.starts_with("title This installation was not finished"), "{entry}");
        assert!(entry.contains("\nlinux /installation-not-finished\n") && !entry.contains("ostree"), "{entry}");
        assert!(!notice_menu(true).contains("linux ") && notice_menu(true).starts_with("serial "));
        assert!(notice_menu(false).starts_with("set timeout=-1\n"));
    }
}
