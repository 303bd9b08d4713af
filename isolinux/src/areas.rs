//! The manifest of a medium: which of its bytes may change, and what it was built from. It
//! lies on the medium as JSON; offsets count from the beginning of the file that is named, for
//! where a file will lie is not known before the ISO is made.

use installer_core::{Error, Result, Stage};
use serde::{Deserialize, Serialize};

/// Where the manifest lies.
pub(crate) const PATH: &str = "boot/areas.json";
/// Where the reserved archive lies.
pub(crate) const CUSTOM: &str = "boot/custom.img";
/// Where what was built in lies.
pub(crate) const SITE: &str = "boot/site.img";
/// What tells our media from others.
const FORMAT: &str = "bootc-ks-iso";
/// The version of the manifest that this writes and reads.
const VERSION: u32 = 1;

/// The room for a kickstart and certificates, in bytes.
pub const CUSTOM_SIZE: u64 = 256 << 10;

/// What a medium says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: String,
    version: u32,
    /// The volume's label.
    pub volume: String,
    /// The installer on it.
    pub environment: Origin,
    /// Whose UEFI boot loader it has: `image` or `host`.
    pub boot_loader: String,
    /// The image on it, if there is one.
    pub image: Option<Embedded>,
    /// The archive that was built in, if there is one.
    pub(crate) site: Option<String>,
    /// Room for another one.
    pub(crate) custom: Area,
    /// The kernel's arguments.
    pub(crate) kargs: Kargs,
    /// Bytes that are `1`, and `0` while the medium is being changed.
    pub(crate) ready: Vec<Place>,
}

/// What the installer environment was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The image.
    pub image: String,
    /// The kernel's release.
    pub kernel: String,
}

/// An image on the medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embedded {
    /// Where it came from.
    pub reference: String,
    /// The digest of its manifest.
    pub digest: String,
    /// Where the installed system looks for updates.
    pub target: String,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Area {
    pub path: String,
    pub offset: u64,
    pub size: u64,
}

/// A byte of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub path: String,
    pub offset: u64,
}

/// The arguments that were built in, and where all of them are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kargs {
    pub default: String,
    pub areas: Vec<Area>,
}

/// What [`Manifest::new`] wants to know.
pub(crate) struct Parts {
    pub volume: String,
    pub environment: Origin,
    pub boot_loader: String,
    pub image: Option<Embedded>,
    pub site: Option<String>,
    pub kargs: Kargs,
    pub ready: Vec<Place>,
}

impl Manifest {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { volume, environment, boot_loader, image, site, kargs, ready } = parts;
        let custom = Area { path: CUSTOM.into(), offset: 0, size: CUSTOM_SIZE };
        let format = FORMAT.to_owned();
        Manifest { format, version: VERSION, volume, environment, boot_loader, image, site, custom, kargs, ready }
    }

    /// Reads the manifest of a medium.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let damaged = |error| Error::input(Stage::Media, format!("reading {PATH} of the medium")).because(error);
        let head: Head = serde_json::from_slice(text).map_err(damaged)?;
        if head.format != FORMAT {
            let message = format!("{PATH} of the medium has the format '{}', not {FORMAT}", head.format.escape_debug());
            return Err(Error::input(Stage::Media, message));
        }
        if head.version != VERSION {
            let message = format!("the medium's format has version {}; this command reads {VERSION}", head.version);
            return Err(Error::input(Stage::Media, message).hint("use the bootc-ks that made it"));
        }
        serde_json::from_slice(text).map_err(damaged)
    }

    /// Its text for the medium.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_vec_pretty(self);
        text.map_err(|error| Error::failed(Stage::Media, format!("writing {PATH}")).because(error))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn made_up() -> Manifest {
        Manifest::new(Parts {
            volume: "BOOTC_KS_0123456".into(),
            environment: Origin { image: "docker://registry.example/os".into(), kernel: "6.12".into() },
            boot_loader: "host".into(),
            image: None,
            site: None,
            kargs: Kargs { default: "a b".into(), areas: vec![] },
            ready: vec![],
        })
    }

    #[test]
    fn other_formats_and_versions_are_told_apart() {
        let text = String::from_utf8(made_up().to_json().unwrap()).unwrap();
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), made_up());
        let newer = text.replace("\"version\": 1", "\"version\": 2");
        let error = Manifest::parse(newer.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
        let other = text.replace(FORMAT, "x");
        assert!(Manifest::parse(other.as_bytes()).unwrap_err().to_string().contains("format 'x'"));
        assert!(Manifest::parse(b"{").unwrap_err().to_string().contains("areas.json"));
    }
}
