//! What options say over what the kickstart says.

use std::path::Path;

use crate::error::{Error, Result, Stage};
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

/// A disk image to be made at `path`, in place of what may be there now.
pub fn image_file(path: &Path, size: Bytes) -> ImageFile {
    ImageFile { path: path.display().to_string(), size, replaces: path.exists() }
}

/// The image that is asked for. `name` is what messages call the kickstart, `option` what names
/// an image besides.
pub fn require_image<'a>(request: &'a Request, name: &str, option: &str) -> Result<&'a str> {
    request.image.as_deref().ok_or_else(|| {
        Error::input(Stage::Request, format!("{name} names no image to install"))
            .hint(format!("add a line 'ostreecontainer --url=REGISTRY/NAME:TAG', or use {option}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
