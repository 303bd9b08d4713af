//! What must be known of an image before a disk is touched. Plain data: `resolve` fills it,
//! `plan` reads it, and a recorded one (JSON) plans as well without a registry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::system_facts::SystemFacts;
use crate::units::{Bytes, Digest};

/// The version of the JSON form of [`ImageFacts`]. It goes up as well when [`super::resolve()`] learns
/// to see something: facts without that would say that there is nothing of it.
pub const SCHEMA: u32 = 3;

/// What a file system must have room for besides contents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Files and directories, in the repository and in the deployment.
    pub inodes: u64,
    /// The most that the extended attributes of one file take as ext4 lays them out.
    pub attributes: Option<Largest>,
    /// The largest value of an extended attribute.
    pub attribute: Option<Largest>,
    /// The longest target of a symbolic link.
    pub link: Option<Largest>,
}

/// The largest of something, and what has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Largest {
    /// How large it is.
    pub bytes: Bytes,
    /// What has it, for people.
    pub path: String,
}

/// An image, pinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was asked for, with its transport (`docker://quay.io/org/os:latest`, `oci:/path:tag`).
    pub reference: String,
    /// Digest of the manifest for this architecture.
    pub manifest_digest: Digest,
    /// Architecture in OCI's words (`amd64`, `arm64`).
    pub architecture: String,
    /// When it was made (RFC 3339), where it says so.
    pub created: Option<String>,
    /// Labels of its configuration.
    pub labels: BTreeMap<String, String>,
    /// Layers, lowest first.
    pub layers: Vec<LayerFacts>,
    /// What is to be downloaded.
    pub download_size: Bytes,
    /// What its files take when unpacked, each layer counted in full.
    pub unpacked_size: Bytes,
    /// How many files, links and directories the layers hold.
    pub entries: u64,
    /// What the file system that it is put onto must have.
    #[serde(default)]
    pub needs: Needs,
    /// The kernel at usr/lib/modules/VERSION, where there is exactly one.
    pub kernel: Option<KernelFacts>,
    /// What it brings to boot with.
    pub boot: BootFacts,
    /// What its usr/lib/bootc/install/*.toml ask for.
    pub install: InstallConfig,
    /// Kernel arguments of its usr/lib/bootc/kargs.d/*.toml for this architecture, in order.
    pub kargs: Vec<String>,
    /// The SELinux policy's name (`targeted`), where etc/selinux/config enables one that is there.
    pub selinux: Option<String>,
    /// What prepare-root.conf says of composefs: `Some(true)` means it will not boot without.
    pub composefs: Option<bool>,
    /// Images that it wants to have beside it: files of its usr/lib/bootc/bound-images.d, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound_images: Vec<String>,
    /// Whether it is an ostree-encapsulated ("chunked") image.
    pub encapsulated: bool,
    /// By which rule the machine that looked at it may use it; `None` where that machine has no
    /// policy.json.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_policy: Option<PolicyFacts>,
    /// What its system has; `None` where that was not looked for, so that nothing follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemFacts>,
}

/// A rule of containers-policy.json(5) that lets an image be used without a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFacts {
    /// The file.
    pub file: String,
    /// The transport that the rule is for (`docker`); `None` for the default of the whole file.
    pub transport: Option<String>,
    /// The images of that transport that the rule is for; an empty text for all of them.
    pub scope: Option<String>,
    /// What it wants (`insecureAcceptAnything`).
    pub requirement: String,
}

impl std::fmt::Display for PolicyFacts {
    /// `reject, the default of /etc/containers/policy.json`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, the ", self.requirement)?;
        match (self.transport.as_deref(), self.scope.as_deref()) {
            (Some(transport), Some("") | None) => write!(f, "default for {transport}")?,
            (Some(transport), Some(scope)) => write!(f, "rule for {transport} {scope}")?,
            (None, _) => write!(f, "default")?,
        }
        write!(f, " of {}", self.file)
    }
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// Digest of the compressed blob.
    pub digest: Digest,
    /// Digest of the uncompressed tar stream.
    pub diff_id: Digest,
    /// Media type.
    pub media_type: String,
    /// Compressed size.
    pub size: Bytes,
}

/// The kernel of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelFacts {
    /// Its version, the directory's name.
    pub version: String,
    /// Whether initramfs.img lies beside vmlinuz.
    pub initramfs: bool,
    /// What the two take in /boot, with device trees; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bytes>,
    /// Kernel modules in the initramfs (file names without `.ko` and compression, `_` for `-`)
    /// and those built into the kernel, sorted; `None` where the initramfs could not be read.
    pub modules: Option<Vec<String>>,
}

impl KernelFacts {
    /// Whether the initramfs can do what kernel module `name` does; `None` where that is not known.
    pub fn has_module(&self, name: &str) -> Option<bool> {
        self.modules.as_ref().map(|modules| modules.binary_search_by(|m| m.as_str().cmp(name)).is_ok())
    }
}

/// What an image brings to boot with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootFacts {
    /// Whether bootupd and its payload are there.
    pub bootupd: bool,
    /// GRUB's installer inside the image (`/usr/sbin/grub-install`), where it is there.
    pub grub_install: Option<String>,
    /// GRUB's mkconfig inside the image, where it is there.
    pub grub_mkconfig: Option<String>,
    /// GRUB's mkimage inside the image, where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grub_mkimage: Option<String>,
    /// GRUB platforms whose modules it brings (`i386-pc`, `x86_64-efi`), sorted.
    pub grub_platforms: Vec<String>,
    /// The modules of its GRUB for UEFI, of the image's architecture, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grub_efi_modules: Vec<String>,
    /// Whether that GRUB reads /boot/loader/entries by itself (`blscfg` or `blsuki`).
    pub grub_reads_bls: bool,
    /// Signed EFI loaders for Secure Boot (paths of shim), sorted.
    pub shim: Vec<String>,
}

/// What an image's install configuration asks for, of what this tool follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallConfig {
    /// `[install.filesystem.root] type`.
    pub root_fs: Option<String>,
    /// `[install] kargs`.
    pub kargs: Vec<String>,
    /// `[install] karg-deletes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub karg_deletes: Vec<String>,
    /// `[install] stateroot`.
    pub stateroot: Option<String>,
    /// What else is under `[install]`, sorted; this tool does not follow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_followed: Vec<String>,
}
