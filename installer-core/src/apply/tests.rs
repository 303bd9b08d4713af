//! Whole plans on a machine that only writes down what it is asked for; then again, once for each
//! of its calls, which fails. Needs no privilege.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Mutex;

use kickstart_parser::{ParseOptions, parse};

use super::run::Deployer;
use super::*;
use crate::deploy::sysroot::{Deploy, Deployed};
use crate::error::{Context, Kind};
use crate::host::recording::Recording;
use crate::image::ImageFacts;
use crate::machine::{Machine, Mounted, MountedArea};
use crate::plan::{EfiGrub, Planned, Specs, plan, to_filesystem};
use crate::program::{IN_IMAGE, PROGRAMS, Program};
use crate::request::{ImageFile, Request, from_kickstart};
use crate::units::Bytes;

macro_rules! recorded {
    ($path:literal) => {
        serde_json::from_str(include_str!(concat!("../../../tests/", $path, ".json"))).unwrap()
    };
}

fn request(kickstart: &str) -> Request {
    let parsed = parse(kickstart, "site.ks", &ParseOptions::default());
    let (request, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
    assert!(!found.iter().any(kickstart_parser::Diagnostic::is_error), "{found:?}");
    request
}

/// Plain partitions, the image's GRUB.
fn plain() -> Plan {
    let request = request(include_str!("../../../tests/kickstarts/plain.ks"));
    plan(&request, &recorded!("machines/vm-virtio"), &recorded!("images/demo")).unwrap()
}

fn lvm() -> Plan {
    let request = request(include_str!("../../../tests/kickstarts/image-mode.ks"));
    plan(&request, &recorded!("machines/vm-virtio"), &recorded!("images/demo")).unwrap()
}

/// Volumes of the admin's own, in groups on two disks.
fn volumes_on_two_disks() -> Plan {
    let request = request(include_str!("../../../tests/kickstarts/own-volumes-two-disks.ks"));
    plan(&request, &recorded!("machines/two-disks"), &recorded!("images/demo")).unwrap()
}

/// Scripts, accounts, /var of its own, SELinux, a GRUB that reads the boot entries.
fn everything() -> Plan {
    let request = request(include_str!("../../../tests/kickstarts/everything.ks"));
    plan(&request, &recorded!("machines/vm-virtio"), &recorded!("images/selinux")).unwrap()
}

/// On a disk with another system, on a machine with UEFI.
fn bootupd() -> Plan {
    let request = request(include_str!("../../../tests/kickstarts/plain.ks"));
    plan(&request, &recorded!("machines/laptop-windows"), &recorded!("images/fedora-bootupd")).unwrap()
}

/// Onto a file, by a kernel without vfat.
fn image_file() -> Plan {
    let mut request = request(include_str!("../../../tests/kickstarts/plain.ks"));
    request.disks.image_file = Some(ImageFile { path: "/srv/disk.img".into(), size: Bytes::gib(8), replaces: false });
    let mut machine: Machine = recorded!("machines/vm-virtio");
    machine.kernel.filesystems.retain(|name| name != "vfat");
    plan(&request, &machine, &recorded!("images/demo")).unwrap()
}

fn onto_file_systems() -> Plan {
    let machine: Machine = recorded!("machines/server-uefi-nvme");
    let disk = &machine.disks[0];
    let area = |at: &str, number: usize, filesystem: &str| MountedArea {
        at: at.parse().unwrap(),
        node: disk.partitions[number].path.clone(),
        filesystem: filesystem.into(),
        uuid: Some(format!("0000000{number}-0000-4000-8000-000000000000")),
        subvolume: None,
        volume: None,
        disks: vec![disk.path.clone()],
        free: Bytes::gib(16),
    };
    let areas = vec![area("/", 2, "xfs"), area("/boot", 1, "ext4"), area("/boot/efi", 0, "vfat")];
    let mounted =
        Mounted { root: "/target".into(), areas, free: Bytes::gib(16), free_inodes: None, unexpected: Vec::new() };
    let facts: ImageFacts = recorded!("images/demo");
    let request = Request::of_image(facts.reference.clone());
    let machine = Machine {
        firmware: crate::machine::Firmware::Uefi { secure_boot: false },
        ..recorded!("machines/server-uefi-nvme")
    };
    to_filesystem(&request, &Specs::default(), &mounted, &machine, &facts).unwrap()
}

/// A deployment of few files.
struct SmallTree<'a>(&'a Recording);

impl SmallTree<'_> {
    fn call(&self, call: &str) -> Result<()> {
        self.0.call(call).doing(Stage::Deploy, call)
    }

    fn dirs(&self, below: &Path, names: &[&str]) {
        names.iter().for_each(|name| fs::create_dir_all(self.0.at(&below.join(name))).unwrap());
    }
}

impl Deployer for SmallTree<'_> {
    fn initialise(&self, _: &Run<'_>, root: &Path, stateroot: &str) -> Result<()> {
        self.call("initialise the system root")?;
        self.dirs(root, &["boot/loader.0/entries", &format!("ostree/deploy/{stateroot}/var/log")]);
        Ok(())
    }

    fn import(&self, _: &Run<'_>, _: &Path, _: &str, _: bool) -> Result<String> {
        self.call("import")?;
        Ok("c0ffee".into())
    }

    fn deploy(&self, _: &Run<'_>, job: &Deploy) -> Result<Deployed> {
        self.call("deploy")?;
        let stateroot = job.root.join("ostree/deploy").join(&job.stateroot);
        let root = stateroot.join("deploy/c0ffee.0");
        let names = [
            "etc/skel",
            "etc/selinux",
            "etc/systemd/system",
            "usr/bin",
            "usr/lib/systemd/system",
            "var",
            "sysroot",
            "boot",
            "proc",
            "sys",
            "dev",
            "run",
            "tmp",
        ];
        self.dirs(&root, &names);
        let write = |path: &str, text: &str| fs::write(self.0.at(&root.join(path)), text).unwrap();
        write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        write("etc/shadow", "root:*:19000::::::\n");
        write("etc/group", "root:x:0:\nwheel:x:10:\n");
        write("etc/selinux/config", "SELINUX=enforcing\n");
        write("usr/lib/os-release", "NAME=Small\n");
        for unit in ["sshd", "kdump", "firewalld", "chronyd"] {
            write(&format!("usr/lib/systemd/system/{unit}.service"), "[Install]\nWantedBy=multi-user.target\n");
        }
        write("usr/lib/systemd/system/multi-user.target", "");
        write("etc/chrony.conf", "pool pool.example iburst\n");
        ["authselect", "firewall-offline-cmd"].iter().for_each(|name| write(&format!("usr/bin/{name}"), ""));
        let entry = job.root.join("boot/loader.0/entries/ostree-1.conf");
        fs::write(self.0.at(&entry), "title Small\nlinux /boot/vmlinuz\noptions rw\n").unwrap();
        symlink("loader.0", self.0.at(&job.root.join("boot/loader"))).unwrap();
        Ok(Deployed { root, var: stateroot.join("var"), entry })
    }

    fn set_bootloader_backend(&self, _: &Run<'_>, _: &Path, _: &str) -> Result<()> {
        self.call("set the boot loader's backend")
    }

    fn label(&self, _: &mut Run<'_>) -> Result<()> {
        self.call("label")
    }
}

/// grub-mkimage makes something.
fn programs(host: &Recording, program: &Program) {
    if program.args.iter().any(|arg| arg == EfiGrub::OUTPUT) {
        let system = &program.cage.as_ref().unwrap().root;
        fs::write(host.at(system).join(EfiGrub::OUTPUT.trim_start_matches('/')), "loader").unwrap();
    }
}

/// What became of one installation.
struct Outcome {
    result: Result<Report>,
    calls: Vec<String>,
    /// How many calls there had been when each step began.
    begun: Vec<usize>,
    warnings: Vec<String>,
}

fn install(plan: &Plan, fails: Option<usize>) -> Outcome {
    let host = Recording::failing(fails).with(programs);
    for name in ["srv", "target/boot/efi"] {
        fs::create_dir_all(host.at(Path::new("/")).join(name)).unwrap();
    }
    let (begun, warnings) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let sink = |event: &Event| match event {
        Event::StepStarted { .. } => begun.lock().unwrap().push(host.calls().len()),
        Event::Warning { message } => warnings.lock().unwrap().push(message.clone()),
        _ => {}
    };
    let result = carry_out(plan, &SmallTree(&host), &host, &Options::default(), &sink);
    let work = host.at(Path::new("/run")).join(format!("bootc-ks-{}", std::process::id()));
    // A mount that did not go keeps its mount point.
    assert!(fails.is_some() || !work.exists(), "{} is left", work.display());
    Outcome {
        result,
        calls: host.calls(),
        begun: begun.into_inner().unwrap(),
        warnings: warnings.into_inner().unwrap(),
    }
}

/// The number of the step, from 0, in which call `index` was made.
fn step_of(begun: &[usize], index: usize) -> Option<usize> {
    begun.iter().filter(|first| **first <= index).count().checked_sub(1)
}

/// What closes what `call` opens.
fn closing(call: &str, failed: bool, disks: &[String]) -> Option<String> {
    let words: Vec<&str> = call.split(' ').collect();
    match words[..] {
        // It is closed even if only a part of it was wiped.
        ["wipe", device] if disks.iter().any(|disk| disk == device) => Some(format!("flush {device}")),
        _ if failed => None,
        ["mount", _, target] => Some(format!("umount {target}")),
        ["run", "lvm", "vgcreate", _, group, ..] => Some(format!("run lvm vgchange --activate n {group}")),
        ["attach", _] => Some("detach /dev/loop0".into()),
        ["create", "directory", work] if work.starts_with("/run/bootc-ks-") && !work[5..].contains('/') => {
            Some(format!("remove mount points {work}"))
        }
        _ => None,
    }
}

/// The notice is removed that was in the boot menu until then.
fn of_notice(call: &str) -> bool {
    call.starts_with("remove mount points ") && call.contains("/boot/loader.bootc-ks")
}

/// Goes through the calls as they were: everything opened is closed, the last first. Returns the
/// calls behind `from` that closed nothing.
fn all_closed(calls: &[String], fails: Option<usize>, disks: &[String], from: usize) -> Vec<String> {
    let (mut open, mut others): (Vec<String>, Vec<String>) = Default::default();
    for (index, call) in calls.iter().enumerate() {
        let failed = fails == Some(index);
        let removes = |open: &[String]| open.last().is_some_and(|last| last.starts_with("remove mount points"));
        if open.last() == Some(call) || failed && call == "open /run" && removes(&open) {
            open.pop();
            continue;
        }
        if of_notice(call) {
            continue;
        }
        let closes = ["umount ", "detach ", "flush ", "run lvm vgchange", "remove mount points "];
        assert!(!closes.iter().any(|word| call.starts_with(word)), "{call} is out of order: {open:#?}");
        open.extend(closing(call, failed, disks));
        let prepares = call == "open /run" && removes(&open);
        others.extend((index > from && !prepares).then(|| call.clone()));
    }
    assert_eq!(open, Vec::<String>::new(), "is not closed after {:?}", fails.map(|index| &calls[index]));
    others
}

fn disks_of(plan: &Plan) -> Vec<String> {
    match &plan.target {
        Target::Disk { .. } => plan.target.disks().iter().map(|disk| disk.path.clone()).collect(),
        _ => Vec::new(),
    }
}

/// What may fail without ending the installation: it is warned about, or there is another way.
fn may_fail(plan: &Plan, step: Option<usize>, call: &str) -> bool {
    match step.map(|step| &plan.steps[step]) {
        Some(Step::BootOrder { .. }) => true,
        Some(Step::Script(script)) if !script.fatal => true,
        Some(Step::Script(script)) => {
            let log = script.log.as_deref().map(Path::new);
            // A script does without its log.
            let of_log = log.is_some_and(|log| {
                call.contains(&log.display().to_string())
                    || log.parent().is_some_and(|parent| call == format!("open {}", parent.display()))
            });
            of_log || ["open /", "read /etc/resolv.conf", "open /mnt"].contains(&call)
        }
        // By mtools.
        Some(Step::Bootloader(_)) if call.ends_with("/esp") => call.starts_with("mount "),
        Some(Step::CreateImageFile { .. }) => call.starts_with("list "),
        // For the serial numbers on record.
        Some(Step::Finish) if call == "probe" => true,
        _ => call.starts_with("run sh -c 'fsfreeze") || of_notice(call),
    }
}

/// A script's step looks as well at whether the script took away what a system needs. That ends the
/// installation, whatever the kickstart makes of failures.
fn looks_after_a_script(plan: &Plan, step: Option<usize>, call: &str) -> bool {
    let script = step.is_some_and(|step| matches!(plan.steps[step], Step::Script(_)));
    let opens = call.starts_with("open /run/") && (call.ends_with("/system") || call.ends_with("/root"));
    script && (opens || call.ends_with("/entries"))
}

fn every_call_fails_once(plan: &Plan) {
    let disks = disks_of(plan);
    let good = install(plan, None);
    good.result.unwrap();
    all_closed(&good.calls, None, &disks, usize::MAX);
    let writes = ["disarm ", "write table ", "initialise "];
    let touching = good.calls.iter().position(|call| writes.iter().any(|word| call.starts_with(word))).unwrap();
    for (index, call) in good.calls.iter().enumerate() {
        let seen = install(plan, Some(index));
        let step = step_of(&good.begun, index);
        let others = all_closed(&seen.calls, Some(index), &disks, index);
        let error = match seen.result {
            Ok(_) => {
                assert!(may_fail(plan, step, call), "{call} failed, and the installation went well");
                continue;
            }
            Err(error) => error,
        };
        let text = format!("{call}: {error}");
        assert!(!may_fail(plan, step, call) || looks_after_a_script(plan, step, call), "{text}");
        assert!(error.to_string().contains("made to fail"), "{text}");
        assert!(error.remedy().is_some(), "{text}");
        assert_eq!((error.kind(), error.touched()), (Kind::Failed, index >= touching), "{text}");
        assert_eq!(error.exit_code(), if index >= touching { 1 } else { 3 }, "{text}");
        let told = seen.warnings.iter().any(|warning| {
            warning.contains("had been written to")
                || warning.contains("is whole")
                || warning.contains("the unfinished disk image")
        });
        assert_eq!(told, index >= touching, "{text}: {:?}", seen.warnings);
        // No later step began.
        assert_eq!(seen.begun.len(), step.map_or(0, |step| step + 1), "{text}");
        let Some(step) = step else { continue };
        let name = format!("step {} ({})", step + 1, plan.steps[step].title());
        let at_the_end = error.to_string().starts_with("closing what was open: ");
        assert!(error.to_string().starts_with(&name) || at_the_end, "{text}");
        // A script takes back what it was lent, a disk image under its temporary name is removed.
        let script = matches!(plan.steps[step], Step::Script(_));
        let image = matches!(plan.target, Target::ImageFile(_));
        let tidy = |other: &&String| {
            script && (other.starts_with("remove ") || other.starts_with("read ") || other.starts_with("open /"))
                || image && (*other == "open /srv" || other.starts_with("remove /srv/.disk.img.bootc-ks-"))
        };
        assert_eq!(others.iter().find(|other| !tidy(other)), None, "after {text}");
    }
}

#[test]
fn plain_partitions_fail_at_every_call() {
    every_call_fails_once(&plain());
}

#[test]
fn logical_volumes_fail_at_every_call() {
    every_call_fails_once(&lvm());
}

#[test]
fn volumes_on_two_disks_fail_at_every_call() {
    every_call_fails_once(&volumes_on_two_disks());
}

#[test]
fn a_plan_with_everything_fails_at_every_call() {
    every_call_fails_once(&everything());
}

#[test]
fn bootupd_fails_at_every_call() {
    every_call_fails_once(&bootupd());
}

#[test]
fn a_disk_image_fails_at_every_call() {
    every_call_fails_once(&image_file());
}

#[test]
fn file_systems_of_others_fail_at_every_call() {
    every_call_fails_once(&onto_file_systems());
}

/// The parts of a shown command between what is only known when it runs.
fn pattern(shown: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = shown.replace('\'', "");
    while let Some((before, after)) = rest.split_once('<') {
        *parts.last_mut().unwrap() += before;
        parts.push(String::new());
        rest = after.split_once('>').unwrap().1.to_owned();
    }
    *parts.last_mut().unwrap() += &rest;
    parts
}

fn is_like(run: &str, shown: &str) -> bool {
    let (run, parts) = (run.replace('\'', ""), pattern(shown));
    let mut rest = run.strip_prefix(parts[0].as_str());
    for part in &parts[1..] {
        rest = rest.and_then(|rest| rest.find(part.as_str()).map(|at| &rest[at + part.len()..]));
    }
    rest.is_some_and(|rest| rest.is_empty() || parts.last().is_some_and(String::is_empty))
}

#[test]
fn what_is_shown_is_what_runs() {
    for plan in [plain(), lvm(), volumes_on_two_disks(), everything(), bootupd(), onto_file_systems()] {
        let names = Planned::of(&plan.target);
        let seen = install(&plan, None);
        let mut count = 0;
        for (index, step) in plan.steps.iter().enumerate() {
            let shown: Vec<String> = step.commands(&names).iter().map(ToString::to_string).collect();
            if shown.is_empty() {
                continue;
            }
            let end = seen.begun.get(index + 1).copied().unwrap_or(seen.calls.len());
            let calls = &seen.calls[seen.begun[index]..end];
            let run: Vec<&str> = calls.iter().filter_map(|call| call.strip_prefix("run ")).collect();
            assert_eq!(run.len(), shown.len(), "{run:#?} {shown:#?}");
            for (run, shown) in run.iter().zip(&shown) {
                assert!(is_like(run, shown), "{run}\nis not\n{shown}");
            }
            count += shown.len();
        }
        assert!(count > 0 && plan.steps.iter().any(|step| matches!(step, Step::Bootloader(_))));
    }
}

#[test]
fn every_program_that_a_plan_runs_is_a_row_of_the_table() {
    for plan in [plain(), lvm(), volumes_on_two_disks(), everything(), bootupd(), image_file(), onto_file_systems()] {
        let interpreters: Vec<&str> = plan
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Script(script) => Some(script.interpreter.as_str()),
                _ => None,
            })
            .collect();
        for call in install(&plan, None).calls {
            let Some(command) = call.strip_prefix("run ") else { continue };
            let words: Vec<&str> = command.split(' ').collect();
            let (name, table) = if words[0] == "chroot" { (words[2], IN_IMAGE) } else { (words[0], PROGRAMS) };
            let base = name.rsplit('/').next().unwrap();
            let known = table.iter().any(|row| row.name == base) || interpreters.contains(&name);
            assert!(known, "{command}");
        }
    }
}

#[test]
fn a_shown_command_is_told_from_others() {
    assert!(is_like("mkswap -U 12-34 /dev/vda7", "mkswap -U '<uuid of partition 7>' /dev/vda7"));
    assert!(!is_like("mkswap -U 12-34 /dev/vda8", "mkswap -U '<uuid of partition 7>' /dev/vda7"));
    assert!(!is_like("mkswap -q -U 12 /dev/vda7", "mkswap -U '<uuid of partition 7>' /dev/vda7"));
    assert!(!is_like("lvm vgcreate x", "lvm vgcreate"));
}
