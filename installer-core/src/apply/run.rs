//! What an installation knows while it runs: the plan, the names of things, what is open.

use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::report::{Options, Report, SCHEMA};
use super::teardown::{Close, Teardown};

use crate::deploy::sysroot::Deployed;
use crate::error::{Context, Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::host::root::TargetRoot;
use crate::host::{Host, Mount};
use crate::image::Image;
use crate::plan::{Device, Names, Plan, Step, partition_node};
use crate::program::Program;
use crate::request::Purpose;
use crate::storage::select::Target;
use crate::units::Digest;

/// The state of one installation.
pub struct Run<'a> {
    pub plan: &'a Plan,
    pub image: &'a Image,
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
    /// The partitions' own GUIDs by number, once they are made.
    pub partition_guids: BTreeMap<u32, Uuid>,
    /// Its kernel arguments.
    pub kargs: Vec<String>,
    /// Paths in the system that were written and want a label.
    pub written: Vec<String>,
    pub warnings: Vec<String>,
    pub done: Vec<(String, u64)>,
    /// The image file under its temporary name, and its own.
    pub image_file: Option<(PathBuf, PathBuf)>,
}

impl<'a> Run<'a> {
    pub fn new(
        plan: &'a Plan,
        image: &'a Image,
        host: &'a dyn Host,
        options: &'a Options,
        events: &'a dyn Sink,
    ) -> Result<Self> {
        let work = PathBuf::from(format!("/run/bootc-ks-{}", std::process::id()));
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&work)
            .doing(Stage::Storage, "making a directory for mount points")?;
        let mut teardown = Teardown::default();
        teardown.push(Close::Directories(work.clone()));
        let disk = match &plan.target {
            Target::Disk { path, .. } => path.clone(),
            Target::ImageFile(_) => String::new(),
            Target::Filesystem { disk, .. } => disk.clone().unwrap_or_default(),
        };
        Ok(Run {
            plan,
            image,
            host,
            options,
            events,
            names: LiveNames::new(plan, disk),
            teardown,
            touched: false,
            work,
            commit: None,
            deployed: None,
            partition_guids: BTreeMap::new(),
            kargs: Vec::new(),
            written: Vec::new(),
            // What was said before belongs to the report as well.
            warnings: plan.warnings.clone(),
            done: Vec::new(),
            image_file: None,
        })
    }

    /// The target's own root file system.
    pub fn physical_root(&self) -> PathBuf {
        match &self.plan.target {
            Target::Filesystem { path, .. } => path.into(),
            _ => self.work.join("root"),
        }
    }

    /// The deployed system as it will see itself.
    pub fn system_root(&self) -> PathBuf {
        self.work.join("system")
    }

    /// The deployed system, for writing files.
    pub fn system(&self) -> Result<TargetRoot> {
        if self.deployed.is_none() {
            return Err(Error::failed(Stage::System, "the system is not deployed yet"));
        }
        TargetRoot::open(&self.system_root()).doing(Stage::System, "opening the installed system")
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
        self.host.run(program, &mut |_| ()).map_err(|error| Error::failed(stage, doing).because(error))
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
        let Some((temporary, path)) = self.image_file.take() else { return closed };
        if good && closed.is_ok() {
            return std::fs::rename(&temporary, &path)
                .doing(Stage::Finish, format_args!("giving the disk image its name {}", path.display()));
        }
        if let Err(error) = std::fs::remove_file(&temporary) {
            tracing::warn!(%error, "removing the unfinished disk image");
        }
        closed
    }

    /// The report of an installation that went well.
    pub fn report(self, plan: Digest) -> Report {
        Report {
            schema: SCHEMA,
            plan,
            image: self.plan.image.digest.clone(),
            commit: self.commit.unwrap_or_default(),
            target: self.plan.target.name().to_owned(),
            kargs: self.kargs,
            steps: self.done,
            warnings: self.warnings,
            end: self.plan.end,
        }
    }
}

/// Devices by their real names, with UUIDs made for this installation.
pub struct LiveNames {
    disk: String,
    uuids: BTreeMap<Device, String>,
}

impl LiveNames {
    fn new(plan: &Plan, disk: String) -> Self {
        let mut uuids = BTreeMap::new();
        for step in &plan.steps {
            if let Step::Adopt { device, uuid, .. } = step {
                uuids.insert(device.clone(), uuid.clone());
            }
            if let Step::Format { device, purpose, .. } = step {
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
        LiveNames { disk, uuids }
    }

    /// The disk's node, once it is known.
    pub fn set_disk(&mut self, path: &Path) {
        self.disk = path.display().to_string();
    }

    /// `text` with UUIDs in place of what stands for them.
    pub fn fill(&self, text: &str) -> String {
        self.uuids.iter().fold(text.to_owned(), |text, (device, uuid)| text.replace(&device.uuid_placeholder(), uuid))
    }
}

impl Names for LiveNames {
    fn disk(&self) -> String {
        self.disk.clone()
    }

    fn node(&self, device: &Device) -> String {
        match device {
            Device::Partition { number } => partition_node(&self.disk, *number),
            Device::Volume { group, name } => format!("/dev/{group}/{name}"),
            Device::Node { path } => path.clone(),
        }
    }

    fn uuid(&self, device: &Device) -> String {
        self.uuids.get(device).cloned().unwrap_or_default()
    }
}
