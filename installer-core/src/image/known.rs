//! Facts that somebody has read before: of the very same image they need not be read again, and
//! its layers go over the network once. What an installer environment knows of the image that it
//! was made from, mostly.

use crate::error::{Error, Result, Stage};

use super::Image;
use super::facts::ImageFacts;

impl Image {
    /// `before`, if it may stand for reading the image: it is of the same manifest, which pins
    /// every layer, and the registry says that it has them all. An error if it says of one that
    /// it has it not. Of a layout or an archive nobody says so without reading it, and a medium
    /// is where a layer is unreadable: `None`.
    pub fn known(&self, before: &ImageFacts) -> Result<Option<ImageFacts>> {
        if before.manifest_digest != self.manifest_digest {
            return Ok(None);
        }
        for (index, layer) in self.layers.iter().enumerate() {
            match self.blobs.has(&layer.digest)? {
                Some(true) => {}
                Some(false) => return Err(self.missing(index)),
                None => return Ok(None),
            }
        }
        Ok(Some(ImageFacts { reference: self.reference.to_string(), ..before.clone() }))
    }

    fn missing(&self, index: usize) -> Error {
        let digest = self.layers[index].digest.short();
        let layer = format!("layer {} of {} ({digest})", index + 1, self.layers.len());
        Error::world(Stage::Resolve, format!("{}: the registry has not got {layer}", self.reference))
            .hint("push the image again; a registry's garbage collection may have taken what it should not")
    }
}
