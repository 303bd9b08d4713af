//! The record of an installation, written into the system when all that belongs to it is done: what was
//! asked for, as it is there now. How the first boot tells of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use super::run::Run;
use crate::error::{Context, Result, Stage};
use crate::host::root::Root;
use crate::plan::{AUTH_FILE, Step};
use crate::record::{self, DIRECTORY, Installed, PATH, Record, RecordedDisk, RecordedImage, RecordedStep, SCHEMA};
use crate::storage::select::Target;
use crate::system::Change;
use crate::system::units::{ETC, VENDOR};

/// Root's alone: a digest of a kickstart or of a file is enough to try short passwords at leisure, and
/// whether an account has a password is nothing for its neighbours either.
const MODE: u32 = 0o600;

/// The unit that names the record in the journal of the first boot.
const UNIT: &str = "bootc-ks-installed.service";
/// What starts it: no link, which the presets of a first boot would take away.
const DROP_IN: &str = "/etc/systemd/system/multi-user.target.d";

/// Writes the record.
pub fn write(run: &mut Run<'_>) -> Result<()> {
    if run.deployed.is_none() {
        return Ok(());
    }
    let disks = disks(run);
    let seen = observed(run).doing(Stage::Finish, "looking at what was installed")?;
    let record = complete(run, seen, disks)?;
    let text = serde_json::to_string_pretty(&record).doing(Stage::Finish, "writing the record")? + "\n";
    let system = run.system()?;
    tell_at_first_boot(system.as_ref()).doing(Stage::Finish, "writing what names the record in the journal")?;
    system.create_dir(DIRECTORY, 0o755, 0, 0).doing(Stage::Finish, format_args!("making {DIRECTORY}"))?;
    system.write(PATH, text.as_bytes(), MODE, Some((0, 0))).doing(Stage::Finish, format_args!("writing {PATH}"))
}

/// The disks that the system is on. A record without their serial numbers is better than none.
fn disks(run: &mut Run<'_>) -> Vec<RecordedDisk> {
    let paths: Vec<String> = match &run.plan.target {
        Target::Filesystem { disk, .. } => disk.iter().cloned().collect(),
        target => target.disks().into_iter().map(|disk| disk.path.clone()).collect(),
    };
    if paths.is_empty() {
        return Vec::new();
    }
    let machine = match run.host.disks().probe() {
        Ok(machine) => machine,
        Err(error) => {
            run.warn(format!("the record of the installation has no serial numbers of disks: {error}"));
            return Vec::new();
        }
    };
    let ours = machine.disks.into_iter().filter(|disk| paths.contains(&disk.path));
    ours.map(|disk| RecordedDisk {
        stable: disk.stable_name().to_owned(),
        path: disk.path,
        size: disk.size,
        model: disk.model,
        serial: disk.serial,
        wwn: disk.wwn,
    })
    .collect()
}

/// What a plan asks for, by name.
#[derive(Default)]
struct Asked {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    keys: BTreeSet<String>,
    units: BTreeSet<String>,
    /// With whether a secret is in it.
    files: BTreeMap<String, bool>,
}

impl Asked {
    fn of(run: &Run<'_>) -> Self {
        let mut asked = Asked::default();
        for step in &run.plan.steps {
            match step {
                Step::Fstab { .. } => _ = asked.files.insert("/etc/fstab".into(), false),
                Step::Credentials { .. } => _ = asked.files.insert(AUTH_FILE.into(), true),
                Step::Group(group) => _ = asked.groups.insert(group.name.clone()),
                Step::User(user) => _ = asked.users.insert(user.name.clone()),
                Step::RootPassword { .. } => _ = asked.users.insert("root".into()),
                Step::SshKeys { user, .. } => _ = asked.keys.insert(user.clone()),
                Step::Change(change) => asked.change(run, change),
                _ => {}
            }
        }
        asked
    }

    fn change(&mut self, run: &Run<'_>, change: &Change) {
        match change {
            Change::Write { path, content, private } => {
                let secret = *private || run.plan.secrets.keys().any(|stand_in| content.contains(stand_in));
                *self.files.entry(path.clone()).or_default() |= secret;
            }
            Change::Set { path, .. } | Change::Lines { path, .. } | Change::Link { path, .. } => {
                self.files.entry(path.clone()).or_default();
            }
            Change::Enable { unit } | Change::Disable { unit } => _ = self.units.insert(unit.clone()),
            Change::Run { .. } => {}
        }
    }
}

/// What is there of it.
struct Seen {
    versions: BTreeMap<String, String>,
    users: Vec<record::User>,
    groups: Vec<record::Group>,
    keys: Vec<record::Keys>,
    units: Vec<record::Unit>,
    files: Vec<record::File>,
}

/// `look` at each of `names`; what is not there any more was taken away by a script.
fn each<'n, T>(
    names: impl IntoIterator<Item = &'n String>,
    look: impl Fn(&str) -> io::Result<Option<T>>,
) -> io::Result<Vec<T>> {
    names.into_iter().filter_map(|name| look(name).transpose()).collect()
}

fn observed(run: &Run<'_>) -> io::Result<Seen> {
    let asked = Asked::of(run);
    let system = Installed::at(run.system().map_err(io::Error::other)?);
    Ok(Seen {
        versions: versions(&system)?,
        users: each(&asked.users, |name| record::user(&system, name))?,
        groups: each(&asked.groups, |name| record::group(&system, name))?,
        keys: each(&asked.keys, |name| record::keys(&system, name))?,
        units: each(&asked.units, |name| record::unit(&system, name).map(Some))?,
        files: each(asked.files.keys(), |path| record::file(&system, path, asked.files[path]))?,
    })
}

fn versions(system: &Installed) -> io::Result<BTreeMap<String, String>> {
    let mut versions = BTreeMap::from([("bootc-ks".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let release = system.read("/usr/lib/os-release")?.unwrap_or_default();
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map(|value| value.trim_matches(['"', '\'']).to_owned())
    };
    versions.extend(value("PRETTY_NAME").or_else(|| value("NAME")).map(|name| ("system".to_owned(), name)));
    let (root, modules) = system.place("/usr/lib/modules");
    let kernel = root.list(modules)?.into_iter().map(|(name, _)| name).max();
    versions.extend(kernel.map(|kernel| ("kernel".to_owned(), kernel)));
    Ok(versions)
}

fn complete(run: &Run<'_>, seen: Seen, disks: Vec<RecordedDisk>) -> Result<Record> {
    let steps = run.plan.steps.iter().zip(&run.done);
    let image = &run.plan.image;
    Ok(Record {
        schema: SCHEMA,
        installed: now(),
        versions: seen.versions,
        plan: run.plan.digest()?,
        kickstart: run.options.kickstart_digest.clone(),
        image: RecordedImage {
            source: image.source.clone(),
            digest: image.digest.clone(),
            updates_from: image.updates_from.clone(),
            commit: run.commit.clone().unwrap_or_default(),
        },
        target: run.plan.target.name().to_owned(),
        disks,
        kargs: run.kargs.clone(),
        steps: steps
            .map(|(step, (title, millis))| RecordedStep { step: step.name(), title: title.clone(), millis: *millis })
            .collect(),
        warnings: run.warnings.clone(),
        users: seen.users,
        groups: seen.groups,
        ssh_keys: seen.keys,
        units: seen.units,
        files: seen.files,
    })
}

fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let time = i64::try_from(seconds).ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).unwrap_or_default()
}

/// A unit whose start is what systemd writes into the journal. It takes itself away, so that nothing of it
/// is in /etc after the first boot; only /etc keeps a unit until then, for /usr is the image's.
fn tell_at_first_boot(system: &dyn Root) -> io::Result<()> {
    if !system.is_dir(VENDOR) {
        return Ok(());
    }
    let drop_in = format!("{DROP_IN}/{UNIT}.conf");
    let unit = format!(
        "# Written by bootc-ks: names the record of the installation in the journal of the first boot, and \
         goes away.\n\
         [Unit]\n\
         Description=bootc-ks {} installed this system: {PATH}, 'bootc-ks status'\n\n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart=-/usr/bin/rm -f {ETC}/{UNIT} {drop_in}\n\
         ExecStart=-/usr/bin/rmdir --ignore-fail-on-non-empty {DROP_IN}\n",
        env!("CARGO_PKG_VERSION")
    );
    system.create_dirs(DROP_IN)?;
    system.write(&format!("{ETC}/{UNIT}"), unit.as_bytes(), 0o644, Some((0, 0)))?;
    system.write(&drop_in, format!("[Unit]\nWants={UNIT}\n").as_bytes(), 0o644, Some((0, 0)))
}
