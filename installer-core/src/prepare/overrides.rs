//! What options say over what the kickstart says.

use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::error::{Error, Remedy, Result, Stage};
use crate::image::ImageReference;
use crate::request::{ImageFile, Request};
use crate::units::Bytes;

/// The options that every front door has.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The image to install.
    pub image: Option<String>,
    /// Where the installed system looks for updates.
    pub target_image: Option<String>,
    /// A disk image to install onto.
    pub disk_image: Option<ImageFile>,
    /// Whether the order in which the firmware boots things stays as it is.
    pub leave_boot_order: bool,
}

impl Overrides {
    /// Puts them over what `request` has from the kickstart.
    pub fn put_over(&self, request: &mut Request) {
        let kickstarts = request.image.take();
        if let (Some(ours), Some(kickstarts)) = (registry(&self.image), registry(&kickstarts))
            && ours != kickstarts
        {
            // It is for the registry of the image beside which it was written, and for no other.
            request.registry.login = None;
        }
        let image = self.image.clone().or_else(|| kickstarts.clone());
        // A directory or an archive is no place to get updates from once the machine is away.
        let local = image.as_deref().is_some_and(|i| i.starts_with("oci:") || i.starts_with("oci-archive:"));
        let said = self.target_image.clone().or_else(|| request.update_from.take());
        request.update_from = said.or(kickstarts.filter(|_| local && self.image.is_some()));
        request.image = image;
        request.leave_boot_order |= self.leave_boot_order;
        if self.disk_image.is_some() {
            request.disks.image_file.clone_from(&self.disk_image);
        }
    }
}

/// The host that serves `image`, if it is in a registry.
fn registry(image: &Option<String>) -> Option<String> {
    image.as_ref()?.parse::<ImageReference>().ok()?.host().map(str::to_owned)
}

/// A disk image to be made at `path`, in place of the file that may be there now.
pub fn image_file(path: &Path, size: Bytes) -> Result<ImageFile> {
    let name = path.display();
    if let Some(format) = other_format(path) {
        return Err(Error::input(
            Stage::Request,
            format!(
                "{name}: a disk image is made raw, and a file of that name is taken for one of the format {format}"
            ),
        )
        .hint("name it .img or .raw, and convert it afterwards ('qemu-img convert')"));
    }
    let kind = path.metadata().ok().map(|there| there.file_type());
    match kind {
        Some(kind) if kind.is_block_device() => {
            Err(Error::input(Stage::Request, format!("{name} is a disk, and not a file to make a disk image of"))
                .hint(Remedy::UseTheDisk { disk: name.to_string() }))
        }
        Some(kind) if !kind.is_file() => {
            Err(Error::input(Stage::Request, format!("{name} is not a file, so no disk image can take its place"))
                .hint("name a file that is to be made"))
        }
        there => Ok(ImageFile { path: name.to_string(), size, replaces: there.is_some() }),
    }
}

/// What programs take a file of this name for, if that is no raw disk.
fn other_format(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let others = [
        "qcow2", "qcow", "qed", "vmdk", "vdi", "vhd", "vhdx", "vpc", "hdd", "ova", "ovf", "dmg", "iso", "wim", "gz",
        "tgz", "xz", "zst", "bz2", "lz4", "zip", "tar",
    ];
    others.contains(&extension.as_str()).then_some(extension)
}

/// Makes sure that a disk image can be made where it is asked for: the directory is there, and takes files.
pub fn require_place(file: &ImageFile) -> Result<()> {
    let path = Path::new(&file.path);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // One without a name, which is gone when it is closed.
    match tempfile::tempfile_in(directory) {
        Ok(_) => Ok(()),
        // The installation runs as root.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !rustix::process::geteuid().is_root() => Ok(()),
        Err(error) => Err(Error::input(
            Stage::Request,
            format!("no disk image can be made at {}, in the directory {}", file.path, directory.display()),
        )
        .because(error)
        .hint("name a file in a directory that is there and takes files")),
    }
}

/// The image that is asked for. `name` is what messages call the kickstart.
pub fn require_image<'a>(request: &'a Request, name: &str) -> Result<&'a str> {
    request.image.as_deref().ok_or_else(|| {
        Error::input(Stage::Request, format!("{name} names no image to install")).hint(Remedy::NameAnImage)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Login;
    use crate::units::Secret;

    #[test]
    fn a_disk_image_is_raw() {
        for name in
            ["disk.qcow2", "a/DISK.QCOW2", "x.vmdk", "x.vdi", "x.vhd", "x.VHDX", "x.img.xz", "x.raw.gz", "x.iso"]
        {
            let error = image_file(Path::new(name), Bytes::gib(8)).unwrap_err();
            assert!(error.exit_code() == 2 && error.to_string().contains("is made raw"), "{error}");
        }
        for name in ["disk.img", "disk.raw", "disk", "qcow2", "my.qcow2.img", "x.bin"] {
            image_file(Path::new(name), Bytes::gib(8)).unwrap();
        }
    }

    #[test]
    fn a_disk_image_has_a_place() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &Path| {
            require_place(&ImageFile { path: path.display().to_string(), size: Bytes::gib(8), replaces: false })
        };
        std::fs::write(dir.path().join("file"), "").unwrap();
        at(&dir.path().join("disk.img")).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left");
        for bad in [dir.path().join("none/disk.img"), dir.path().join("file/disk.img"), "/proc/disk.img".into()] {
            let error = at(&bad).unwrap_err();
            assert!(error.exit_code() == 2 && error.to_string().contains("no disk image can be made"), "{error}");
        }
    }

    #[test]
    fn a_login_is_for_one_registry() {
        let of = |image: Option<&str>| {
            let mut request = Request::of_image("q.io/kickstarts");
            request.registry.login = Some(Login { user: "u".into(), password: Secret::new("p") });
            Overrides { image: image.map(str::to_owned), ..Overrides::default() }.put_over(&mut request);
            request.registry.login.is_some()
        };
        assert!(of(None) && of(Some("q.io/other")) && of(Some("oci:/run/medium")));
        assert!(!of(Some("r.io/kickstarts")));
    }

    #[test]
    fn where_updates_come_from() {
        let of = |target: Option<&str>, overrides: Overrides| {
            let mut request =
                Request { update_from: target.map(str::to_owned), ..Request::of_image("q.io/kickstarts") };
            overrides.put_over(&mut request);
            (request.image.unwrap_or_default(), request.update_from)
        };
        let image = |image: &str| Overrides { image: Some(image.to_owned()), ..Overrides::default() };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of(None, Overrides::default()), ("q.io/kickstarts".to_owned(), None));
        assert_eq!(of(Some("q.io/t"), Overrides::default()).1, text("q.io/t"));
        // A medium's image is the kickstart's, brought along; another registry's is another one.
        assert_eq!(of(None, image("oci:/run/medium")).1, text("q.io/kickstarts"));
        assert_eq!(of(Some("q.io/t"), image("oci:/run/medium")).1, text("q.io/t"));
        assert_eq!(of(None, image("q.io/other")), ("q.io/other".to_owned(), None));
        let both = Overrides { target_image: text("q.io/mine"), ..image("oci:/run/medium") };
        assert_eq!(of(Some("q.io/t"), both).1, text("q.io/mine"));
    }
}
