//! Processes that a script leaves behind inside the system (an agent, a daemon that somebody's
//! package started): they would keep its file systems in use.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long they may take to end by themselves once they are asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ends every process whose root directory is one of `roots`, or below; returns their names.
pub fn end(roots: &[&Path]) -> Vec<String> {
    let mut names: Vec<String> = inside(roots).into_iter().map(name).collect();
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
    // The mounts of an installation are its own; the same path may be anything elsewhere.
    let mounts = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let (ours, Ok(entries)) = (mounts("thread-self"), fs::read_dir("/proc")) else { return Vec::new() };
    let is_inside = |pid: &Pid| {
        // One that has ended and waits for its parent has no root any more.
        let root = fs::read_link(format!("/proc/{pid}/root")).ok();
        root.is_some_and(|root| roots.iter().any(|top| root.starts_with(top))) && mounts(&pid.to_string()) == ours
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    pids.filter(is_inside).collect()
}

fn name(pid: Pid) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{} (process {pid})", name.trim_end())
}
