//! Making an ISO: first everything is looked at and named, then written beside the output, and
//! last put in its place. The same input gives the same bytes.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use installer_core::error::Context as _;
use installer_core::event::Sink;
use installer_core::host::Host;
use installer_core::image::Image;
use installer_core::program::Program;
use installer_core::units::hex;
use installer_core::{Error, Result, Stage};
use pxe::custom::Custom;
use pxe::environment::{self, Environment};
use sha2::{Digest as _, Sha256};

use crate::areas::{Area, CUSTOM, CUSTOM_SIZE, Embedded, Kargs, Manifest, Origin, PATH, Parts, Place, SITE};
use crate::config::{Boot, Config, KARGS_SIZE, grub_beside};
use crate::loaders::Loaders;
use crate::medium::join;
use crate::program::not_done;
use crate::{embed, esp};

/// The root of the initramfs may have 90 % of the memory, where half is the default.
const ROOM: &str = "initramfs_options=size=90%";
const ISOLINUX: &str = "isolinux/isolinux.cfg";
const GRUB: &str = "boot/grub/grub.cfg";
/// A GRUB that looks beside itself looks here, on the system partition of a stick, and in the
/// file system of a disc.
const BESIDE: &str = "EFI/BOOT/grub.cfg";
/// 2020-01-01; media without a date of their own are of that year.
const YEAR: (u64, u64) = (1_577_836_800, 366 * 86_400);

/// What goes onto an ISO.
pub struct BuildJob<'a> {
    /// The installer.
    pub environment: &'a Environment,
    /// Kickstart and certificates.
    pub custom: Custom,
    /// Kernel arguments besides those of the environment.
    pub kargs: Vec<String>,
    /// The image, so that the installation needs no network.
    pub embed: Option<Embed<'a>>,
    /// The date of everything in it, in seconds since 1970 (`SOURCE_DATE_EPOCH`); without it one
    /// is made from the content.
    pub epoch: Option<u64>,
    /// Where it goes.
    pub output: &'a Path,
}

/// An image for the medium.
pub struct Embed<'a> {
    /// It.
    pub image: &'a Image,
    /// Where the installed system looks for updates.
    pub target: String,
}

/// What was made.
#[derive(Debug)]
pub struct Built {
    /// The volume's label.
    pub volume: String,
    /// The date of everything in it.
    pub epoch: u64,
    /// Bytes.
    pub size: u64,
    /// Whether shim and GRUB are the image's.
    pub image_loaders: bool,
}

/// Makes the ISO.
pub fn build(job: &BuildJob<'_>, host: &dyn Host, events: &dyn Sink) -> Result<Built> {
    let design = Design::new(job)?;
    let writing = || format!("writing {}", job.output.display());
    if fs::metadata(job.output).is_ok_and(|meta| !meta.is_file()) {
        return Err(Error::input(Stage::Media, format!("{} is not a file", job.output.display()))
            .hint("write a file, and then that to a stick with dd"));
    }
    let parent = job.output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let work = tempfile::Builder::new().prefix(".bootc-ks-iso-").tempdir_in(parent).doing(Stage::Media, writing())?;
    let (tree, esp, iso) = (work.path().join("tree"), work.path().join("esp.img"), work.path().join("new.iso"));
    if let Some(embed) = &job.embed {
        embed::write(embed.image, &tree.join("image"), events)?;
    }
    design.write_tree(job, &tree)?;
    esp::make(host, &design.loaders, &tree.join(BESIDE), design.id, design.epoch, &esp)?;
    // With a kickstart in it the ISO is as secret as that.
    let mode = if job.custom.is_empty() { 0o644 } else { 0o600 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(&iso).doing(Stage::Media, writing())?;
    host.run(&design.xorriso(job, &tree, &esp, &iso), &mut |_| {}).map_err(not_done)?;
    let file = File::open(&iso).doing(Stage::Media, writing())?;
    file.set_permissions(Permissions::from_mode(mode)).doing(Stage::Media, writing())?;
    file.sync_all().doing(Stage::Media, writing())?;
    let size = file.metadata().doing(Stage::Media, writing())?.len();
    fs::rename(&iso, job.output).doing(Stage::Media, writing())?;
    Ok(Built { volume: design.volume, epoch: design.epoch, size, image_loaders: design.loaders.of_image })
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).doing(Stage::Media, doing())?;
    }
    fs::write(path, bytes).doing(Stage::Media, doing())
}

/// All that is decided before the first byte is written.
struct Design {
    loaders: Loaders,
    site: Vec<u8>,
    volume: String,
    id: u32,
    epoch: u64,
    manifest: Manifest,
    isolinux: Config,
    grub: Config,
}

impl Design {
    fn new(job: &BuildJob<'_>) -> Result<Self> {
        let environment = job.environment;
        if environment.arch() != "x86_64" {
            let message = format!("the environment is for {}, and an ISO is made for x86_64 alone", environment.arch());
            return Err(Error::input(Stage::Media, message).hint("boot such machines from the network"));
        }
        let loaders = Loaders::find(&environment.efi())?;
        let site = job.custom.to_cpio()?;
        let room = (!environment.kargs().iter().any(|karg| karg.starts_with("initramfs_options="))).then_some(ROOM);
        let mut kargs = join(room.unwrap_or_default(), environment.kargs())?;
        kargs = join(&kargs, &job.kargs)?;
        let digest = identity(job, &loaders, &site, &kargs)?;
        let volume = format!("BOOTC_KS_{}", hex(&digest[..4])[..7].to_ascii_uppercase());
        if let Some(embed) = &job.embed {
            let image =
                [format!("bootc-ks.image=oci:hd:LABEL={volume}:/image"), format!("bootc-ks.target={}", embed.target)];
            kargs = join(&kargs, &image)?;
        }
        let seed = |at: usize| u32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]);
        let epoch = job.epoch.unwrap_or(YEAR.0 + u64::from(seed(8)) % YEAR.1);
        let initrds: Vec<String> = ["boot/initrd.img"]
            .into_iter()
            .chain((!site.is_empty()).then_some(SITE))
            .chain([CUSTOM])
            .map(|path| format!("/{path}"))
            .collect();
        let initrds: Vec<&str> = initrds.iter().map(String::as_str).collect();
        let boot = Boot { volume: &volume, initrds: &initrds, kargs: &kargs };
        let (isolinux, grub) = (boot.isolinux()?, boot.grub()?);
        let manifest = manifest(job, &volume, &loaders, &kargs, [(ISOLINUX, &isolinux), (GRUB, &grub)]);
        Ok(Design { loaders, site, volume, id: seed(4), epoch, manifest, isolinux, grub })
    }

    /// The files that are made here.
    fn write_tree(&self, job: &BuildJob<'_>, tree: &Path) -> Result<()> {
        write_file(&tree.join(ISOLINUX), &self.isolinux.text)?;
        write_file(&tree.join(GRUB), &self.grub.text)?;
        write_file(&tree.join(BESIDE), grub_beside(&self.volume).as_bytes())?;
        write_file(&tree.join(CUSTOM), &vec![0; CUSTOM_SIZE as usize])?;
        write_file(&tree.join(PATH), &self.manifest.to_json()?)?;
        // By this Debian's GRUB finds the medium.
        let info = format!("bootc-ks {}: {}\n", self.volume, job.environment.image());
        write_file(&tree.join(".disk/info"), info.as_bytes())?;
        if self.site.is_empty() { Ok(()) } else { write_file(&tree.join(SITE), &self.site) }
    }

    fn xorriso(&self, job: &BuildJob<'_>, tree: &Path, esp: &Path, iso: &Path) -> Program {
        let text = |path: &Path| path.display().to_string();
        let graft = |name: &str, path: PathBuf| {
            let path = text(&path).replace('\\', r"\\").replace('=', r"\=");
            format!("{name}={path}")
        };
        Program::new("xorriso")
            .args(["-as", "mkisofs", "-quiet", "-r", "-iso-level", "3", "-V", &self.volume])
            // Its own default for files is what they have, or the time of day where they have none.
            .args(["--set_all_file_dates", &format!("={}", self.epoch)])
            .args(["-o", &text(iso), "-isohybrid-mbr", &text(&self.loaders.mbr), "-partition_offset", "16"])
            .args(["-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat", "-no-emul-boot"])
            .args(["-boot-load-size", "4", "-boot-info-table", "-eltorito-alt-boot"])
            .args(["-e", "--interval:appended_partition_2:all::", "-no-emul-boot"])
            .args(["-append_partition", "2", "0xef", &text(esp), "-graft-points"])
            .arg(graft("/", tree.to_owned()))
            .arg(graft("/boot/vmlinuz", job.environment.kernel()))
            .arg(graft("/boot/initrd.img", job.environment.initrd()))
            .arg(graft("/isolinux/isolinux.bin", self.loaders.isolinux.clone()))
            .arg(graft("/isolinux/ldlinux.c32", self.loaders.ldlinux.clone()))
            .env("SOURCE_DATE_EPOCH", self.epoch.to_string())
    }
}

/// A digest of everything that goes in.
fn identity(job: &BuildJob<'_>, loaders: &Loaders, site: &[u8], kargs: &str) -> Result<[u8; 32]> {
    let environment = job.environment;
    let mut parts = vec![kargs.to_owned(), environment.image().to_owned(), hex(&Sha256::digest(site))];
    parts.extend(["vmlinuz", "initrd.img"].map(|name| environment.sha256(name).unwrap_or_default().to_owned()));
    if let Some(embed) = &job.embed {
        parts.extend([embed.image.reference().to_string(), embed.image.manifest_digest().to_string()]);
        parts.push(embed.target.clone());
    }
    for path in loaders.files() {
        parts.push(environment::sha256(path)?);
    }
    parts.extend(job.epoch.map(|epoch| epoch.to_string()));
    Ok(Sha256::digest(parts.join("\n")).into())
}

fn manifest(
    job: &BuildJob<'_>,
    volume: &str,
    loaders: &Loaders,
    kargs: &str,
    configs: [(&str, &Config); 2],
) -> Manifest {
    let area = |(path, config): (&str, &Config)| Area {
        path: path.to_owned(),
        offset: config.kargs as u64,
        size: KARGS_SIZE as u64,
    };
    let place = |(path, config): (&str, &Config)| Place { path: path.to_owned(), offset: config.ready as u64 };
    Manifest::new(Parts {
        volume: volume.to_owned(),
        environment: Origin {
            image: job.environment.image().to_owned(),
            kernel: job.environment.kernel_release().to_owned(),
        },
        boot_loader: if loaders.of_image { "image" } else { "host" }.to_owned(),
        image: job.embed.as_ref().map(|embed| Embedded {
            reference: embed.image.reference().to_string(),
            digest: embed.image.manifest_digest().to_string(),
            target: embed.target.clone(),
        }),
        site: (!job.custom.is_empty()).then(|| SITE.to_owned()),
        kargs: Kargs { default: kargs.to_owned(), areas: configs.map(area).to_vec() },
        ready: configs.map(place).to_vec(),
    })
}
