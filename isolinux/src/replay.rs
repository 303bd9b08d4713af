//! A changed copy of another tool's ISO: xorriso writes the file system anew and the boot
//! records as they were ("replay"), then the menus in the EFI system partitions are changed in
//! place, and last the copy is put where it belongs. The original is only read.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use installer_core::error::Context as _;
use installer_core::host::{Host, ProgramError};
use installer_core::program::Program;
use installer_core::{Error, Result, Stage};

use crate::boot_records::BootRecords;
use crate::fat::{Fat, put_private};
use crate::foreign::{Foreign, KICKSTART, LARGEST, Menu};
use crate::iso9660::Volume;
use crate::menu::{Edit, Language};
use crate::program::not_done;

/// A copy to make.
pub struct CopyJob<'a> {
    /// The ISO.
    pub iso: &'a Path,
    /// What is on it.
    pub foreign: Foreign,
    /// The kickstart for its root.
    pub kickstart: Option<&'a [u8]>,
    /// Kernel arguments, behind all others.
    pub kargs: &'a [String],
    /// Where the copy goes. Its owner alone may read it.
    pub output: &'a Path,
}

/// What was made.
#[derive(Debug)]
pub struct Copied {
    /// The menus that were changed.
    pub menus: Vec<Menu>,
    /// Whether the medium's own check, if the menu has one, finds it good.
    pub checksum_good: bool,
}

/// Makes the copy, or nothing.
pub fn copy(job: CopyJob<'_>, host: &dyn Host) -> Result<Copied> {
    let writing = || format!("writing {}", job.output.display());
    check_output(job.iso, job.output)?;
    let CopyJob { iso, mut foreign, kickstart, kargs, output } = job;
    let mut original = File::open(iso).doing(Stage::Media, format!("reading {}", iso.display()))?;
    if let Some(volume) = Volume::read(&mut original)? {
        volume.must_end(&mut original)?;
    }
    foreign.look_into_partitions(&mut original, host)?;
    let edit = foreign.edit(kickstart.is_some(), kargs)?;
    let menus = changed(&foreign.menus, &edit)?;
    check_kickstart(kickstart, &edit, foreign.menus.iter().chain(&menus))?;
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let work = tempfile::Builder::new().prefix(".bootc-ks-iso-").tempdir_in(parent).doing(Stage::Media, writing())?;
    let new = work.path().join("new.iso");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .doing(Stage::Media, writing())?;
    let mut files: Vec<(PathBuf, &str)> = Vec::new();
    for (number, menu) in menus.iter().enumerate().filter(|(_, menu)| !menu.in_partition) {
        let path = work.path().join(format!("menu{number}"));
        put_private(&path, menu.text.as_bytes())?;
        files.push((path, &menu.path));
    }
    if let Some(text) = kickstart {
        let path = work.path().join("ks.cfg");
        put_private(&path, text)?;
        files.push((path, KICKSTART));
    }
    host.run(&xorriso(iso, &new, foreign.joliet, &files), &mut |_| {}).map_err(not_replayed)?;
    let records = records_of_copy(&mut file, &foreign)?;
    change_partitions(&mut file, &records, &edit, host)?;
    let checksum_good = foreign.checksum.map_or(Ok(true), |sum| sum.renew(&new, host))?;
    file.sync_all().doing(Stage::Media, writing())?;
    fs::rename(&new, output).doing(Stage::Media, writing())?;
    Ok(Copied { menus, checksum_good })
}

/// The output has to be a file, and another one.
fn check_output(iso: &Path, output: &Path) -> Result<()> {
    let Ok(there) = fs::metadata(output) else { return Ok(()) };
    let name = output.display();
    if !there.is_file() {
        return Err(Error::input(Stage::Media, format!("{name} is not a file"))
            .hint("write a file, and then that to a stick with dd"));
    }
    if fs::metadata(iso).is_ok_and(|iso| (iso.dev(), iso.ino()) == (there.dev(), there.ino())) {
        return Err(Error::input(Stage::Media, format!("{name} is the ISO itself"))
            .hint("keep it: a customised copy cannot be reset"));
    }
    Ok(())
}

/// One that could not be read again is none to write; and some menu has to name it.
fn check_kickstart<'a>(kickstart: Option<&[u8]>, edit: &Edit, mut menus: impl Iterator<Item = &'a Menu>) -> Result<()> {
    if kickstart.is_some_and(|text| text.len() as u64 > LARGEST) {
        return Err(Error::input(Stage::Media, format!("the kickstart has more than {} MiB", LARGEST >> 20)));
    }
    let named = edit.kickstart.as_ref().map(|place| format!("inst.ks={place}"));
    if named.is_some_and(|word| !menus.any(|menu| menu.text.contains(&word))) {
        return Err(Error::input(Stage::Media, "no entry of its menus installs: a kickstart would never be read")
            .hint("entries for rescue get none; is this the medium of an installer?"));
    }
    Ok(())
}

/// The menus that do not stay as they are, with their new texts.
fn changed(menus: &[Menu], edit: &Edit) -> Result<Vec<Menu>> {
    let mut all = Vec::new();
    for menu in menus {
        let text = edit.apply(Language::of(&menu.path), &menu.text).map_err(|error| error.context(&menu.path))?;
        if text == menu.text {
            continue;
        }
        // What was no text when it was read is none to write.
        if menu.text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Error::input(Stage::Media, format!("{} is no text in UTF-8", menu.path)));
        }
        all.push(Menu { text, ..menu.clone() });
    }
    Ok(all)
}

/// `files` are those of this machine and their paths on the medium.
fn xorriso(iso: &Path, new: &Path, joliet: bool, files: &[(PathBuf, &str)]) -> Program {
    let mut program = Program::new("xorriso")
        .args(["-no_rc", "-report_about", "WARNING", "-indev", &format!("stdio:{}", iso.display())])
        .args(["-outdev", &format!("stdio:{}", new.display()), "-boot_image", "any", "replay"])
        .args(["-joliet", if joliet { "on" } else { "off" }, "-compliance", "joliet_long_names"]);
    for (file, path) in files {
        program = program.args(["-map", &file.display().to_string(), path]);
    }
    let paths: Vec<&str> = files.iter().map(|(_, path)| *path).collect();
    if paths.is_empty() {
        return program;
    }
    for set in [["-chown", "0"], ["-chgrp", "0"], ["-chmod", "0444"]] {
        program = program.args(set).args(paths.iter().copied()).arg("--");
    }
    if paths.contains(&KICKSTART) { program.args(["-chmod", "0400", KICKSTART, "--"]) } else { program }
}

/// Where its own boot records are the trouble there is another way; a full disk is just that.
const OTHER_WAY: &str =
    "a newer xorriso may; or put the kickstart onto a second stick with the label OEMDRV, as /ks.cfg";

fn not_replayed(error: ProgramError) -> Error {
    let records = error.to_string().to_ascii_lowercase().contains("boot image #");
    let error = not_done(error);
    if records { error.hint(OTHER_WAY) } else { error }
}

/// The boot records of the copy, which are those of the original in other places.
fn records_of_copy(copy: &mut File, original: &Foreign) -> Result<BootRecords> {
    let volume = Volume::read(copy)?;
    let records = volume.as_ref().map(|volume| BootRecords::read(copy, volume)).transpose()?;
    let records = records.filter(|records| original.records.are_in(records));
    records.ok_or_else(|| {
        Error::world(Stage::Media, "xorriso could not write the boot records of this ISO again").hint(OTHER_WAY)
    })
}

fn change_partitions(copy: &mut File, records: &BootRecords, edit: &Edit, host: &dyn Host) -> Result<()> {
    for extent in &records.efi {
        let fat = Fat::extract(host, copy, *extent)?;
        let there: Vec<Menu> = fat.menus()?.into_iter().map(|(path, bytes)| Menu::new(path, true, &bytes)).collect();
        let menus = changed(&there, edit)?;
        menus.iter().try_for_each(|menu| fat.write(&menu.path, &menu.text))?;
        if !menus.is_empty() {
            fat.put_back(copy)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_gets_names_and_no_contents() {
        let files = [(PathBuf::from("/w/menu0"), "/isolinux/isolinux.cfg"), (PathBuf::from("/w/ks.cfg"), KICKSTART)];
        let text = xorriso(Path::new("/in.iso"), Path::new("/w/new.iso"), true, &files).to_string();
        for part in [
            "-indev stdio:/in.iso -outdev stdio:/w/new.iso -boot_image any replay -joliet on",
            "-map /w/ks.cfg /ks.cfg",
            "-chmod 0400 /ks.cfg --",
        ] {
            assert!(text.contains(part), "no `{part}` in {text}");
        }
    }

    #[test]
    fn what_is_no_text_is_not_written_as_one() {
        let menu = Menu::new("/isolinux/isolinux.cfg".into(), false, b"menu title \xff\nappend a\n");
        let edit = Edit { kickstart: None, more: vec!["b".into()], installers_alone: false };
        assert!(changed(&[menu], &edit).unwrap_err().to_string().contains("UTF-8"));
    }
}
