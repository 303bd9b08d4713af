//! An image at its source, opened by the proxy that bootc uses: skopeo in another process.

use anyhow::{Context, Result};
use ostree_ext::container::store::ImageProxyConfig;
use ostree_ext::container::{OstreeImageReference, merge_default_container_proxy_opts};
use ostree_ext::containers_image_proxy::{ImageProxy, OpenedImage};
use ostree_ext::oci_spec::image::{ImageConfiguration, ImageManifest};

/// The label that names the last layer of an OSTree commit in an image.
const FINAL_DIFF_ID: &str = "ostree.final-diffid";

/// An image whose manifest and configuration are known.
pub struct Opened {
    pub proxy: ImageProxy,
    pub image: OpenedImage,
    pub digest: String,
    pub manifest: ImageManifest,
    pub config: ImageConfiguration,
}

/// The registries of the tests speak plain HTTP.
pub fn proxy() -> ImageProxyConfig {
    ImageProxyConfig { insecure_skip_tls_verification: Some(true), ..Default::default() }
}

impl Opened {
    pub async fn new(image: &OstreeImageReference) -> Result<Self> {
        let mut config = proxy();
        merge_default_container_proxy_opts(&mut config)?;
        let proxy = ImageProxy::new_with_config(config).await?;
        let name = image.imgref.to_string();
        let image = proxy.open_image(&name).await.with_context(|| format!("opening {name}"))?;
        let (digest, manifest) = proxy.fetch_manifest(&image).await.with_context(|| format!("opening {name}"))?;
        let config = proxy.fetch_config(&image).await?;
        Ok(Self { proxy, image, digest, manifest, config })
    }

    /// Whether its lowest layers are an OSTree commit.
    pub fn is_encapsulated(&self) -> bool {
        self.labels().is_some_and(|labels| labels.contains_key(FINAL_DIFF_ID))
    }

    /// Whether it says that it can be started.
    pub fn is_bootable(&self) -> bool {
        let says = |label: &str| self.labels().is_some_and(|labels| labels.contains_key(label));
        says("containers.bootc") || says("ostree.bootable")
    }

    fn labels(&self) -> Option<&std::collections::HashMap<String, String>> {
        self.config.config().as_ref().and_then(|config| config.labels().as_ref())
    }

    pub async fn close(self) -> Result<()> {
        self.proxy.close_image(&self.image).await?;
        Ok(self.proxy.finalize().await?)
    }
}
