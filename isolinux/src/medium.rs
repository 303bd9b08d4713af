//! A medium that is there: what is on it, and how its areas are to be written. Reads only; a
//! [`Change`] writes. A file, a stick that it was written to, or anything else that can seek.

use std::io::{Read, Seek};

use installer_core::{Error, Result, Stage};
use pxe::custom::Custom;
use pxe::kargs;

use crate::areas::{Area, Manifest, PATH, Place};
use crate::change::Change;
use crate::config::{KARGS_SIZE, kargs_area, read_kargs_area};
use crate::iso9660::{Extent, Volume, read_at};

/// What has become of a medium since it was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing.
    AsBuilt,
    /// Customised: something has been put in.
    Customised,
    /// Customising began and did not finish. Its menu starts nothing.
    Unfinished,
}

/// A medium of ours.
#[derive(Debug)]
pub struct Medium {
    manifest: Manifest,
    custom_area: Extent,
    kargs_areas: Vec<Extent>,
    ready: Vec<u64>,
    site: Custom,
    custom: Custom,
    kargs: String,
    state: State,
}

impl Medium {
    /// Reads what is on `file`, whose volume is `volume`; nothing if that is not ours.
    pub(crate) fn read(file: &mut (impl Read + Seek), volume: &Volume) -> Result<Option<Self>> {
        let lookup = Lookup { volume };
        let Some(manifest) = lookup.manifest(file)? else { return Ok(None) };
        let manifest = Manifest::parse(&manifest)?;
        let places = |areas: &[Area], file: &mut _| {
            areas.iter().map(|area| lookup.area(file, &area.path, area.offset, area.size)).collect::<Result<Vec<_>>>()
        };
        let custom_area = lookup.area(file, &manifest.custom.path, manifest.custom.offset, manifest.custom.size)?;
        let kargs_areas = places(&manifest.kargs.areas, file)?;
        if kargs_areas.is_empty() || kargs_areas.iter().any(|area| area.size != KARGS_SIZE as u64) {
            return Err(damaged("its manifest has no room for kernel arguments"));
        }
        let ready = manifest.ready.iter();
        let ready = ready.map(|Place { path, offset }| Ok(lookup.area(file, path, *offset, 1)?.offset));
        let ready = ready.collect::<Result<Vec<_>>>()?;
        let site = match &manifest.site {
            Some(path) => Custom::from_cpio(&lookup.file(file, path)?)?,
            None => Custom::default(),
        };
        let mut medium = Medium {
            manifest,
            custom_area,
            kargs_areas,
            ready,
            site,
            custom: Custom::default(),
            kargs: String::new(),
            state: State::Unfinished,
        };
        medium.read_area(file)?;
        Ok(Some(medium))
    }

    /// What is in the areas. What cannot be understood was not written to its end.
    fn read_area(&mut self, file: &mut (impl Read + Seek)) -> Result<()> {
        let mut read = |extent: Extent| Ok::<_, Error>(read_at(file, extent)?.unwrap_or_default());
        let custom = Custom::from_cpio(&read(self.custom_area)?);
        let mut whole = true;
        for offset in &self.ready {
            whole &= read(Extent { offset: *offset, size: 1 })? == b"1";
        }
        let mut kargs: Vec<Option<String>> = Vec::new();
        for area in &self.kargs_areas {
            kargs.push(read_kargs_area(&read(*area)?).map(str::to_owned));
        }
        let same = kargs.iter().all(|other| *other == kargs[0]);
        if let (true, true, Ok(custom), Some(kargs)) = (whole, same, custom, kargs.swap_remove(0)) {
            let changed = !custom.is_empty() || kargs != self.manifest.kargs.default;
            self.state = if changed { State::Customised } else { State::AsBuilt };
            (self.custom, self.kargs) = (custom, kargs);
        }
        Ok(())
    }

    /// What it was built from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether it is as it was built.
    pub fn state(&self) -> State {
        self.state
    }

    /// What the booted installer finds: what was built in, and over it what was put in later.
    pub fn contents(&self) -> Custom {
        let mut all = self.site.clone();
        all.kickstart = self.custom.kickstart.clone().or(all.kickstart);
        all.certificates.extend(self.custom.certificates.clone());
        all
    }

    /// The kernel's arguments as they were built in.
    pub fn default_kargs(&self) -> &str {
        &self.manifest.kargs.default
    }

    /// The kernel's arguments; empty if the medium is unfinished.
    pub fn kargs(&self) -> &str {
        &self.kargs
    }

    /// What to write so that `custom` and, behind the arguments that were built in, `more` are
    /// on the medium, and nothing of an earlier customisation.
    pub fn change(&self, custom: &Custom, more: &[String]) -> Result<Change> {
        let mut archive = custom.to_cpio()?;
        let room = usize::try_from(self.custom_area.size).unwrap_or(usize::MAX);
        if archive.len() > room {
            let message =
                format!("kickstart and certificates take {} bytes; the medium has room for {room}", archive.len());
            return Err(Error::input(Stage::Media, message)
                .hint("build an ISO that has them from the beginning: 'bootc-ks iso build --ks FILE'"));
        }
        archive.resize(room, 0);
        let kargs = join(&self.manifest.kargs.default, more)?;
        let area = kargs_area(&kargs)?;
        let mut writes = vec![(self.custom_area.offset, archive)];
        writes.extend(self.kargs_areas.iter().map(|extent| (extent.offset, area.clone())));
        Ok(Change::new(self.ready.clone(), writes))
    }
}

/// Arguments behind those that are there; the very same one is not repeated.
pub(crate) fn join(first: &str, more: &[String]) -> Result<String> {
    let mut all: Vec<&str> = first.split(' ').filter(|karg| !karg.is_empty()).collect();
    for karg in more {
        kargs::check(karg)?;
        if !all.contains(&karg.as_str()) {
            all.push(karg);
        }
    }
    Ok(all.join(" "))
}

fn damaged(what: &str) -> Error {
    Error::input(Stage::Media, format!("the medium is damaged: {what}")).hint("build it again, or copy it again")
}

/// Finds what the manifest names.
struct Lookup<'a> {
    volume: &'a Volume,
}

impl Lookup<'_> {
    fn manifest(&self, file: &mut (impl Read + Seek)) -> Result<Option<Vec<u8>>> {
        match self.volume.find(file, PATH)? {
            Some(extent) if extent.size <= 1 << 20 => {
                read_at(file, extent)?.map(Some).ok_or_else(|| damaged("it is cut off"))
            }
            Some(_) => Err(damaged(&format!("{PATH} is too large"))),
            None => Ok(None),
        }
    }

    fn file(&self, file: &mut (impl Read + Seek), path: &str) -> Result<Vec<u8>> {
        let extent = self.volume.find(file, path)?.ok_or_else(|| damaged(&format!("{path} is missing")))?;
        read_at(file, extent)?.ok_or_else(|| damaged(&format!("{path} is cut off")))
    }

    fn area(&self, file: &mut (impl Read + Seek), path: &str, offset: u64, size: u64) -> Result<Extent> {
        let extent = self.volume.find(file, path)?.ok_or_else(|| damaged(&format!("{path} is missing")))?;
        let inside = offset.checked_add(size).is_some_and(|end| end <= extent.size);
        let whole = extent.offset.checked_add(extent.size).is_some_and(|end| end <= self.volume.size);
        if !inside || !whole {
            return Err(damaged(&format!("{path} is shorter than its manifest says")));
        }
        Ok(Extent { offset: extent.offset + offset, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_joined_and_a_line_stays_a_line() {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(join("", &words(&["a", "b"])).unwrap(), "a b");
        assert_eq!(join("a console=tty0", &words(&["console=ttyS0", "a"])).unwrap(), "a console=tty0 console=ttyS0");
        for bad in ["#", "#a", "a b", "a\nb", "é", "$a"] {
            assert!(join("a", &words(&[bad])).is_err(), "{bad:?}");
        }
        assert_eq!(join("a", &words(&["b#c"])).unwrap(), "a b#c");
    }
}
