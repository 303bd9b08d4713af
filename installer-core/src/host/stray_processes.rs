//! Processes that a script leaves behind in the system (an agent, a daemon that a package
//! started): they would keep its file systems in use.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::cage;

/// How long what only has to write its last lines (a `tee` that the script spoke through, and that may
/// not even have opened its file) may take.
const GRACE: Duration = Duration::from_secs(1);
/// How long they may take to end by themselves once they are asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ends what runs in cages, and every process of this installation's mounts but our own that has its root
/// directory, its working directory, its program or a file in use in one of `roots`, or below; returns
/// their names.
pub fn end(roots: &[&Path]) -> Vec<String> {
    let caged = cage::end_all(GRACE, PATIENCE);
    let begun = Instant::now();
    while !others().is_empty() && begun.elapsed() < GRACE {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut names: Vec<String> = caged.into_iter().chain(inside(roots).into_iter().map(cage::name)).collect();
    names.sort();
    let asked = Instant::now();
    let mut signal = Signal::TERM;
    loop {
        let all = inside(roots);
        if all.is_empty() || asked.elapsed() > 2 * PATIENCE {
            return names;
        }
        // Again each time: it may have started another one.
        for pid in all {
            let _ = kill_process(pid, signal);
        }
        std::thread::sleep(Duration::from_millis(50));
        if asked.elapsed() > PATIENCE {
            signal = Signal::KILL;
        }
    }
}

fn inside(roots: &[&Path]) -> Vec<Pid> {
    others().into_iter().filter(|pid| uses(*pid, roots)).collect()
}

/// Other processes that see this installation's mounts: those that scripts have started.
fn others() -> Vec<Pid> {
    // The mounts of an installation are its own; the same path may be anything elsewhere.
    let mounts = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let (ours, Ok(entries)) = (mounts("thread-self"), fs::read_dir("/proc")) else { return Vec::new() };
    let is_other = |pid: &Pid| *pid != rustix::process::getpid() && mounts(&pid.to_string()) == ours;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    pids.filter(is_other).collect()
}

/// One that has ended and waits for its parent has none of these any more.
fn uses(pid: Pid, roots: &[&Path]) -> bool {
    let links = |directory: &str| {
        let entries = fs::read_dir(format!("/proc/{pid}/{directory}"));
        entries.into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let single = ["root", "cwd", "exe"].map(|name| format!("/proc/{pid}/{name}").into());
    let mut places =
        single.into_iter().chain(links("fd")).chain(links("map_files")).filter_map(|link| fs::read_link(link).ok());
    places.any(|place| roots.iter().any(|top| place.starts_with(top)))
}
