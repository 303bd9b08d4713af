//! What an installation knows while it runs: the plan, the names of things, what is open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::failure_point;
use super::leftovers::{List, Opened};
use super::places::{ImageFile, RUN, RUN_PREFIX, Withheld};
use super::report::{Options, Report, SCHEMA};
use super::teardown::{Close, Teardown};

use crate::deploy::sysroot::{Deploy, Deployed};
use crate::error::{Context, Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::host::root::Root;
use crate::host::{Host, Mount};
use crate::plan::{Device, Names, Plan, Step, partition_node};
use crate::program::Program;
use crate::request::Purpose;
use crate::storage::kind::Area;
use crate::storage::select::Target;
use crate::units::Digest;

/// The mount point of the deployed system there.
pub const SYSTEM: &str = "system";
/// The file there that a boot loader is kept in.
pub const LOADER: &str = "loader.efi";
/// And of the target's own root file system, where that is made.
pub const ROOT: &str = "root";

/// What makes an image a deployment. The unit tests have one that lays out a small tree.
pub trait Deployer: Send + Sync {
    /// Makes the OSTree system root at `root`.
    fn initialise(&self, run: &Run<'_>, root: &Path, stateroot: &str) -> Result<()>;
    /// Imports the image into the repository below `root`; returns the commit.
    fn import(&self, run: &Run<'_>, root: &Path, target: &str, selinux: bool) -> Result<String>;
    /// Deploys the commit.
    fn deploy(&self, run: &Run<'_>, job: &Deploy) -> Result<Deployed>;
    /// Has libostree write the boot menu anew at each update, by its `backend`.
    fn set_bootloader_backend(&self, run: &Run<'_>, root: &Path, backend: &str) -> Result<()>;
    /// Gives what was written the labels of the image's SELinux policy.
    fn label(&self, run: &mut Run<'_>) -> Result<()>;
}

/// The state of one installation.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub deployer: &'a dyn Deployer,
    pub host: &'a dyn Host,
    pub options: &'a Options,
    pub events: &'a dyn Sink,
    pub names: LiveNames,
    pub teardown: Teardown,
    /// Whether the disk has been written to.
    pub touched: bool,
    /// Where everything is mounted.
    pub work: PathBuf,
    /// The commit, once imported.
    pub commit: Option<String>,
    /// The deployment, once made.
    pub deployed: Option<Deployed>,
    /// The boot entries, as long as no boot loader finds them.
    pub withheld: Option<Withheld>,
    /// Whether the disk starts the system that was asked for.
    pub bootable: bool,
    /// Whether the system has what its scripts look for.
    pub prepared_for_scripts: bool,
    /// Whether a mount point for scripts was made on this machine.
    pub made_install_source: bool,
    /// The partitions' own GUIDs, once they are made.
    pub partition_guids: BTreeMap<Device, Uuid>,
    /// Its kernel arguments.
    pub kargs: Vec<String>,
    pub warnings: Vec<String>,
    pub done: Vec<(String, u64)>,
    /// The disk image, while it has a temporary name.
    pub image_file: Option<ImageFile>,
    /// What the next installation has to close if this one is killed.
    pub open: List,
}

impl<'a> Run<'a> {
    pub fn new(
        plan: &'a Plan,
        deployer: &'a dyn Deployer,
        host: &'a dyn Host,
        options: &'a Options,
        events: &'a dyn Sink,
    ) -> Result<Self> {
        let name = format!("{RUN_PREFIX}{}", std::process::id());
        let refused = |error: Error| error.hint(format!("{RUN} has to be there, and writable"));
        let doing = "making a directory for mount points";
        let directory = host.open(Path::new(RUN)).doing(Stage::Storage, doing).map_err(refused)?;
        directory.create_dir(&name, 0o700, 0, 0).doing(Stage::Storage, doing).map_err(refused)?;
        let work = Path::new(RUN).join(&name);
        let mut teardown = Teardown::default();
        teardown.push(Close::Directories(work.clone()));
        let mut open = match List::begin(directory.as_ref(), &name).doing(Stage::Storage, doing) {
            Ok(open) => open,
            Err(error) => {
                let _ = teardown.unwind_to(0, host);
                return Err(refused(error));
            }
        };
        let disks: Vec<String> = match &plan.target {
            Target::Disk { .. } => plan.target.disks().iter().map(|disk| disk.path.clone()).collect(),
            Target::ImageFile(_) => Vec::new(),
            Target::Filesystem { disk, .. } => disk.iter().cloned().collect(),
        };
        if matches!(plan.target, Target::Disk { .. }) {
            disks.iter().for_each(|disk| open.note(&Opened::Disk(disk.into())));
        }
        Ok(Run {
            plan,
            deployer,
            host,
            options,
            events,
            names: LiveNames::new(plan, disks, &work),
            teardown,
            touched: false,
            work,
            commit: None,
            deployed: None,
            withheld: None,
            bootable: false,
            prepared_for_scripts: false,
            made_install_source: false,
            partition_guids: BTreeMap::new(),
            kargs: Vec::new(),
            // What was said before belongs to the report as well.
            warnings: plan.warnings.clone(),
            done: Vec::new(),
            image_file: None,
            open,
        })
    }

    /// The target's own root file system.
    pub fn physical_root(&self) -> PathBuf {
        match &self.plan.target {
            Target::Filesystem { path, .. } => path.into(),
            _ => self.work.join(ROOT),
        }
    }

    /// The deployed system as it will see itself.
    pub fn system_root(&self) -> PathBuf {
        self.work.join(SYSTEM)
    }

    /// The deployed system, for writing files.
    pub fn system(&self) -> Result<Box<dyn Root>> {
        if self.deployed.is_none() {
            return Err(Error::failed(Stage::System, "the system is not deployed yet"));
        }
        self.open(Stage::System, &self.system_root())
    }

    /// The target's own root file system, for reading and writing files.
    pub fn physical(&self, stage: Stage) -> Result<Box<dyn Root>> {
        self.open(stage, &self.physical_root())
    }

    /// A directory with all that is below it.
    pub fn open(&self, stage: Stage, path: &Path) -> Result<Box<dyn Root>> {
        self.host.open(path).doing(stage, format_args!("opening {}", path.display()))
    }

    /// Makes a mount point below the directory of this installation.
    pub fn mount_point(&self, stage: Stage, name: &str) -> Result<PathBuf> {
        let doing = || format!("making the mount point {name}");
        self.open(stage, &self.work)?.create_dirs(name).doing(stage, doing())?;
        Ok(self.work.join(name))
    }

    /// Mounts, and notes it for the teardown.
    pub fn mount(&mut self, stage: Stage, mount: &Mount) -> Result<()> {
        self.host.mount(mount).doing(stage, format_args!("mounting {} at {}", mount.source, mount.target.display()))?;
        self.teardown.push(Close::Unmount(mount.target.clone()));
        Ok(())
    }

    /// Runs a program whose output matters only if it fails.
    pub fn run(&self, stage: Stage, program: &Program) -> Result<()> {
        let doing = format!("running {}", program.name);
        let program = self.caged(program.clone());
        let outcome = self.host.run(&program, &mut |_| ()).map_err(|error| Error::failed(stage, doing).because(error));
        if program.cage.is_some() {
            // What a boot loader's installer leaves running has nothing to say any more.
            self.host.end_stray_processes(&[]);
        }
        outcome
    }

    /// `program`, if it is one of the image's, with the disks that are installed onto and what is on them.
    pub fn caged(&self, program: Program) -> Program {
        let areas = self.plan.steps.iter().flat_map(|step| match step {
            Step::Partition(table) => table.partitions.iter().map(|partition| table.device(partition)).collect(),
            step => step.area().map(|(device, _)| device.clone()).into_iter().collect::<Vec<_>>(),
        });
        let used = self
            .plan
            .target
            .disks()
            .into_iter()
            .flat_map(|disk| disk.used.iter().map(|used| partition_node(&disk.path, used.number)));
        let nodes = self.names.disks.iter().cloned().chain(areas.map(|device| self.names.node(&device))).chain(used);
        program.with(|cage| cage.devices = nodes.map(PathBuf::from).collect())
    }

    /// Passes a point where a test may let it end.
    pub fn pass(&self, side: &str, number: Option<usize>, name: &str) -> Result<()> {
        failure_point::pass(self.options.fail_at.as_ref(), side, (number, name), self.events)
    }

    /// Says something that does not end the installation.
    pub fn warn(&mut self, message: String) {
        tracing::warn!("{message}");
        self.events.emit(&Event::Warning { message: message.clone() });
        self.warnings.push(message);
    }

    /// Closes everything. A disk image gets its name when all went well, else it goes.
    pub fn close(&mut self, good: bool) -> Result<()> {
        let closed = self.teardown.unwind_to(0, self.host);
        for message in std::mem::take(&mut self.teardown.warnings) {
            self.warn(message);
        }
        let Some(image) = self.image_file.take() else { return closed };
        let rename = || self.host.open(&image.directory)?.rename(&image.temporary, &image.name);
        let doing = format!("giving the disk image its name {}", image.path.display());
        let named = if good { closed.and_then(|()| rename().doing(Stage::Finish, doing)) } else { closed };
        if good && named.is_ok() {
            return named;
        }
        let remove = || self.host.open(&image.directory)?.remove(&image.temporary);
        if let Err(error) = remove() {
            tracing::warn!(%error, "removing the unfinished disk image");
        }
        named
    }

    /// The report of an installation that went well.
    pub fn report(self, plan: Digest) -> Report {
        Report {
            schema: SCHEMA,
            plan,
            image: self.plan.image.digest.clone(),
            commit: self.commit.unwrap_or_default(),
            target: self.plan.target.names(),
            kargs: self.kargs,
            steps: self.done,
            warnings: self.warnings,
            end: self.plan.end,
        }
    }
}

/// Devices by their real names, with UUIDs made for this installation.
pub struct LiveNames {
    /// First the one that the machine boots from.
    disks: Vec<String>,
    system: String,
    loader: String,
    uuids: BTreeMap<Device, String>,
}

impl LiveNames {
    fn new(plan: &Plan, disks: Vec<String>, work: &Path) -> Self {
        let mut uuids = BTreeMap::new();
        for step in &plan.steps {
            if let Step::Adopt { device, uuid, .. } = step {
                uuids.insert(device.clone(), uuid.clone());
            }
            if let Step::Format(Area { device, purpose, .. }) = step {
                let uuid = Uuid::new_v4();
                let text = match purpose {
                    // A FAT has a number of 32 bits, written as udev and fstab do.
                    Purpose::Esp => {
                        let (id, ..) = uuid.as_fields();
                        format!("{:04X}-{:04X}", id >> 16, id & 0xffff)
                    }
                    _ => uuid.to_string(),
                };
                uuids.insert(device.clone(), text);
            }
        }
        let place = |name: &str| work.join(name).display().to_string();
        LiveNames { disks, system: place(SYSTEM), loader: place(LOADER), uuids }
    }

    /// The node of the one disk, once it is known.
    pub fn set_disk(&mut self, path: &Path) {
        self.disks = vec![path.display().to_string()];
    }

    /// The node of one of the disks.
    pub fn disk_at(&self, index: usize) -> String {
        self.disks.get(index).cloned().unwrap_or_default()
    }

    /// `text` with UUIDs in place of what stands for them.
    pub fn fill(&self, text: &str) -> String {
        self.uuids.iter().fold(text.to_owned(), |text, (device, uuid)| text.replace(&device.uuid_placeholder(), uuid))
    }
}

impl Names for LiveNames {
    fn disk(&self) -> String {
        self.disk_at(0)
    }

    fn node(&self, device: &Device) -> String {
        match device {
            Device::Partition { disk, number } => partition_node(&self.disk_at(*disk), *number),
            Device::Volume { group, name } => format!("/dev/{group}/{name}"),
            Device::Node { path } => path.clone(),
        }
    }

    fn uuid(&self, device: &Device) -> String {
        self.uuids.get(device).cloned().unwrap_or_default()
    }

    fn system(&self) -> String {
        self.system.clone()
    }

    fn loader(&self) -> String {
        self.loader.clone()
    }
}
