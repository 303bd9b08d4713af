//! Facts that were read before: of the very same image they need not be read again, and
//! its layers go over the network once. What an installer environment knows of the image that it
//! was made from, mostly.

use crate::error::Result;

use super::facts::ImageFacts;
use super::open::Image;

impl Image {
    /// `before`, if it may stand for reading the image: it is of the same manifest, which pins
    /// every layer, and the registry says that it has them all. Where it says anything else, and
    /// of a layout or an archive, where bad places of a medium are found by reading alone, the
    /// image is to be read: `None`.
    pub fn reusable_facts(&self, before: &ImageFacts) -> Result<Option<ImageFacts>> {
        if before.manifest_digest != *self.manifest_digest() {
            return Ok(None);
        }
        for layer in self.layers() {
            if !self.blobs.has(&layer.digest)? {
                return Ok(None);
            }
        }
        let (reference, signature_policy) = (self.reference().to_string(), self.signature_policy().cloned());
        Ok(Some(ImageFacts { reference, signature_policy, ..before.clone() }))
    }
}
