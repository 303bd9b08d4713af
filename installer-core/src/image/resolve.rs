//! From an opened image to its facts: reads every layer once, several at a time, verifying
//! digests and diff ids on the way, judges what they hold as the import will, and asks the merged
//! result the installer's questions.

use std::collections::BTreeMap;

use crate::error::{Error, Result, Stage};
use crate::units::Bytes;

use super::facts::{BootFacts, ImageFacts, KernelFacts, SCHEMA};
use super::judge::{self, Whole};
use super::manifest::{Config, parse_config};
use super::merged::Merged;
use super::open::Image;
use super::scan::Want;
use super::system_facts::SystemFacts;
use super::{config_files, initramfs, system_look};

/// Reads the whole image and says what must be known of it before a disk is touched. Refuses
/// an image that does not say of itself that it is bootable, and one that could not be imported
/// or deployed.
pub fn resolve(image: &Image) -> Result<ImageFacts> {
    let config = parse_config(image.config())?;
    require_bootable(image, &config)?;
    let encapsulated = image.base_layers()? > 0;
    let Whole { merged, entries, unpacked, needs } = judge::whole(image, &[ROOTS, system_look::ROOTS].concat(), &want)?;
    let arch = config.architecture.as_str();
    let labels = config.labels();
    Ok(ImageFacts {
        schema: SCHEMA,
        reference: image.reference().to_string(),
        manifest_digest: image.manifest_digest().clone(),
        architecture: config.architecture.clone(),
        created: config.created.clone(),
        encapsulated,
        labels,
        layers: image.layers().to_vec(),
        download_size: image.download_size(),
        unpacked_size: unpacked,
        entries,
        needs,
        kernel: kernel(&merged)?,
        boot: boot(&merged, arch),
        install: config_files::install_config(&texts(&merged, is_install_config), arch)?,
        kargs: config_files::kargs(&texts(&merged, is_kargs), arch)?,
        selinux: selinux(&merged),
        composefs: composefs(&merged),
        signature_policy: image.signature_policy().cloned(),
        bound_images: merged.paths().filter_map(bound_image).map(str::to_owned).collect(),
        system: Some(system(&merged)),
    })
}

fn require_bootable(image: &Image, config: &Config) -> Result<()> {
    let labels = config.labels();
    if ["containers.bootc", "ostree.bootable"].iter().any(|label| labels.contains_key(*label)) {
        return Ok(());
    }
    Err(Error::input(Stage::Resolve, format!("{} is not a bootable container image: it has neither label containers.bootc nor ostree.bootable", image.reference()))
        .hint("name an image that was made to boot (from a bootc base image), not an application's; one's own can say so by LABEL containers.bootc 1"))
}

// ---- what is asked about ----

/// Directories that hold anything of interest.
const ROOTS: &[&str] = &[
    "boot/efi",
    "etc/bootc",
    "etc/os-release",
    "etc/ostree",
    "etc/selinux",
    "usr/bin",
    "usr/lib/bootc",
    "usr/lib/bootupd",
    "usr/lib/efi",
    "usr/lib/grub",
    "usr/lib/modules",
    "usr/lib/os-release",
    "usr/lib/ostree",
    "usr/lib/shim",
    "usr/local/lib/bootc",
    "usr/sbin",
    "usr/share/efi",
    "usr/share/shim",
];

const GRUB_INSTALL: &[&str] =
    &["usr/sbin/grub-install", "usr/sbin/grub2-install", "usr/bin/grub-install", "usr/bin/grub2-install"];
const GRUB_MKCONFIG: &[&str] =
    &["usr/sbin/grub-mkconfig", "usr/sbin/grub2-mkconfig", "usr/bin/grub-mkconfig", "usr/bin/grub2-mkconfig"];
const GRUB_MKIMAGE: &[&str] =
    &["usr/bin/grub-mkimage", "usr/bin/grub2-mkimage", "usr/sbin/grub-mkimage", "usr/sbin/grub2-mkimage"];
const BOOTUPCTL: &str = "usr/bin/bootupctl";
const SELINUX: &str = "etc/selinux/config";
const PREPARE_ROOT: &[&str] = &["etc/ostree/prepare-root.conf", "usr/lib/ostree/prepare-root.conf"];

fn want(path: &str) -> Want {
    if let Some((_, file)) = in_modules(path) {
        return match file {
            "vmlinuz" => Want::Name,
            "initramfs.img" => Want::Modules,
            "devicetree" => Want::Name,
            "modules.builtin" => Want::Content,
            _ => Want::Nothing,
        };
    }
    if device_trees(path) {
        return Want::Name;
    }
    if is_install_config(path)
        || is_kargs(path)
        || path == SELINUX
        || PREPARE_ROOT.contains(&path)
        || judge::OS_RELEASE.contains(&path)
    {
        return Want::Content;
    }
    let named = path == BOOTUPCTL
        || GRUB_INSTALL.contains(&path)
        || GRUB_MKCONFIG.contains(&path)
        || GRUB_MKIMAGE.contains(&path)
        || grub_module(path).is_some()
        || is_bootupd_update(path)
        || is_shim(path)
        || bound_image(path).is_some()
        || policy_of(path).is_some();
    match system_look::keep(path) {
        Some(system_look::Keep::Text) => Want::Content,
        Some(system_look::Keep::Name) => Want::Name,
        None if named => Want::Name,
        None => Want::Nothing,
    }
}

/// Whether it is below usr/lib/modules/VERSION/dtb.
fn device_trees(path: &str) -> bool {
    let below = path.strip_prefix("usr/lib/modules/").and_then(|rest| rest.split_once('/'));
    below.is_some_and(|(_, file)| file.starts_with("dtb/"))
}

/// Kernel version and file name of usr/lib/modules/VERSION/FILE.
fn in_modules(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("usr/lib/modules/")?.split_once('/').filter(|(_, file)| !file.contains('/'))
}

fn is_toml_in(path: &str, dirs: &[&str]) -> bool {
    let file = dirs.iter().find_map(|dir| path.strip_prefix(dir));
    file.is_some_and(|file| !file.contains('/') && file.ends_with(".toml"))
}

fn is_install_config(path: &str) -> bool {
    is_toml_in(path, &["usr/lib/bootc/install/", "usr/local/lib/bootc/install/", "etc/bootc/install/"])
}

fn is_kargs(path: &str) -> bool {
    is_toml_in(path, &["usr/lib/bootc/kargs.d/"])
}

fn is_bootupd_update(path: &str) -> bool {
    path.strip_prefix("usr/lib/bootupd/updates/").is_some_and(|file| !file.contains('/') && file.ends_with(".json"))
}

/// The file's name in usr/lib/bootc/bound-images.d: a link to a quadlet, which names an image.
fn bound_image(path: &str) -> Option<&str> {
    path.strip_prefix("usr/lib/bootc/bound-images.d/").filter(|file| !file.contains('/'))
}

/// Platform and module of usr/lib/grub/PLATFORM/MODULE.mod.
fn grub_module(path: &str) -> Option<(&str, &str)> {
    let (platform, file) = path.strip_prefix("usr/lib/grub/")?.split_once('/')?;
    Some((platform, file.strip_suffix(".mod")?)).filter(|(_, module)| !module.contains('/'))
}

fn is_shim(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if path.starts_with("usr/lib/shim/") {
        // Debian keeps the unsigned one beside it.
        return file.starts_with("shim") && file.contains(".efi.") && file.contains("signed");
    }
    let dirs = ["usr/share/efi/", "usr/share/shim/", "usr/lib/efi/", "usr/lib/bootupd/updates/EFI/", "boot/efi/EFI/"];
    file.starts_with("shim") && file.ends_with(".efi") && dirs.iter().any(|dir| path.starts_with(dir))
}

/// The policy's name in etc/selinux/NAME/policy/policy.VERSION.
fn policy_of(path: &str) -> Option<&str> {
    let (name, rest) = path.strip_prefix("etc/selinux/")?.split_once('/')?;
    rest.strip_prefix("policy/policy.").filter(|version| !version.contains('/')).map(|_| name)
}

// ---- the answers ----

fn texts(merged: &Merged, which: fn(&str) -> bool) -> BTreeMap<String, Vec<u8>> {
    let text = |path: &str| Some((path.to_owned(), merged.text(path)?.to_vec()));
    merged.paths().filter(|path| which(path)).filter_map(text).collect()
}

/// What the system has.
fn system(merged: &Merged) -> SystemFacts {
    system_look::facts(merged.paths().map(|path| {
        let kind = match (merged.leads_to(path), merged.text(path)) {
            (Some(target), _) => system_look::Kind::Link(target),
            (None, Some(text)) => system_look::Kind::Text(text),
            (None, None) => system_look::Kind::File,
        };
        (path, kind)
    }))
}

fn kernel(merged: &Merged) -> Result<Option<KernelFacts>> {
    let versions: Vec<&str> = merged
        .paths()
        .filter_map(in_modules)
        .filter(|(_, file)| *file == "vmlinuz")
        .map(|(version, _)| version)
        .collect();
    let version = match versions[..] {
        [] => return Ok(None),
        [version] => version,
        _ => {
            return Err(Error::world(
                Stage::Resolve,
                format!("the image has several kernels: {}", versions.join(", ")),
            )
            .hint("bootc boots images with exactly one: remove the others from usr/lib/modules in the image"));
        }
    };
    let initramfs = format!("usr/lib/modules/{version}/initramfs.img");
    let modules = match merged.modules(&initramfs) {
        Some(loadable) => {
            let builtin = merged.text(&format!("usr/lib/modules/{version}/modules.builtin")).unwrap_or_default();
            let builtin = String::from_utf8_lossy(builtin);
            let mut all: Vec<String> =
                loadable.iter().cloned().chain(builtin.lines().filter_map(initramfs::module_name)).collect();
            all.sort();
            all.dedup();
            Some(all)
        }
        _ => None,
    };
    let (size, version) = (boot_size(merged, version), version.to_owned());
    Ok(Some(KernelFacts { version, initramfs: merged.has(&initramfs), size, modules }))
}

/// What libostree copies to /boot for a kernel: vmlinuz, initramfs.img, and devicetree or else what is
/// in dtb (ostree-sysroot-deploy.c).
fn boot_size(merged: &Merged, version: &str) -> Option<Bytes> {
    let size = |name: &str| merged.size(&format!("usr/lib/modules/{version}/{name}")).map(Bytes);
    let dtb = format!("usr/lib/modules/{version}/dtb/");
    // Each takes whole blocks.
    let all = || merged.paths().filter(|path| path.starts_with(&dtb)).filter_map(|path| merged.size(path));
    let trees = size("devicetree").unwrap_or_else(|| all().map(|size| Bytes(size.next_multiple_of(4096))).sum());
    Some(size("vmlinuz")? + size("initramfs.img")? + trees)
}

fn boot(merged: &Merged, architecture: &str) -> BootFacts {
    let first = |paths: &[&str]| paths.iter().find(|path| merged.has(path)).map(|path| format!("/{path}"));
    let mut platforms: Vec<String> =
        merged.paths().filter_map(grub_module).map(|(platform, _)| platform.to_owned()).collect();
    platforms.dedup();
    let efi = match architecture {
        "arm64" => "arm64-efi",
        _ => "x86_64-efi",
    };
    let efi_modules = merged.paths().filter_map(grub_module).filter(|(platform, _)| *platform == efi);
    let mut efi_modules: Vec<String> = efi_modules.map(|(_, module)| module.to_owned()).collect();
    // In the order of paths, `btrfs.mod` comes before `btrfs-x.mod`.
    efi_modules.sort_unstable();
    BootFacts {
        bootupd: merged.has(BOOTUPCTL) && merged.paths().any(is_bootupd_update),
        grub_install: first(GRUB_INSTALL),
        grub_mkconfig: first(GRUB_MKCONFIG),
        grub_mkimage: first(GRUB_MKIMAGE),
        grub_platforms: platforms,
        grub_efi_modules: efi_modules,
        grub_reads_bls: merged.paths().filter_map(grub_module).any(|(_, module)| matches!(module, "blscfg" | "blsuki")),
        shim: merged.paths().filter(|path| is_shim(path)).map(|path| format!("/{path}")).collect(),
    }
}

fn selinux(merged: &Merged) -> Option<String> {
    let config = String::from_utf8_lossy(merged.text(SELINUX)?).into_owned();
    let name = config_files::selinux_policy(&config)?;
    merged.paths().filter_map(policy_of).any(|there| there == name).then_some(name)
}

fn composefs(merged: &Merged) -> Option<bool> {
    let text = PREPARE_ROOT.iter().find_map(|path| merged.text(path))?;
    config_files::composefs(&String::from_utf8_lossy(text))
}
