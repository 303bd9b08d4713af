//! Every console that the kernel has: who looks at the screen sees the same as who looks at
//! the serial line.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use installer_core::printable::printable;

use crate::syslog::Syslog;

/// How long a line may wait for a console. A serial line without a reader would
/// hold the installation up for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many lines are kept for a log server that cannot be reached yet.
const KEPT: usize = 200;

/// The consoles, open.
pub struct Consoles {
    list: Mutex<Vec<Console>>,
    log: Mutex<Log>,
}

/// Whether a log server listens as well.
enum Log {
    /// Not yet; what was said until now.
    Kept(Vec<String>),
    /// It does.
    Server(Syslog),
}

struct Console {
    name: String,
    file: File,
    /// What is written to it is not read.
    stuck: bool,
}

impl Consoles {
    /// Opens those that are in use.
    pub fn open() -> Self {
        // Messages of the kernel between ours: only what is serious.
        let _ = std::fs::write("/proc/sys/kernel/printk", "4");
        let active = std::fs::read_to_string("/sys/class/tty/console/active").unwrap_or_default();
        let open = |name: &str| {
            // tty0 is whichever screen is shown; a shell wants one of its own.
            let name = if name == "tty0" { "tty1" } else { name };
            let file = OpenOptions::new()
                .write(true)
                .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
                .open(format!("/dev/{name}"))
                .ok()?;
            Some(Console { name: name.to_owned(), file, stuck: false })
        };
        Consoles {
            list: Mutex::new(active.split_whitespace().filter_map(open).collect()),
            log: Mutex::new(Log::Kept(Vec::new())),
        }
    }

    /// Tells a log server what was said, and what will be.
    pub fn send_to(&self, server: Syslog) {
        let mut log = self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Log::Kept(lines) = &*log {
            lines.iter().for_each(|line| server.say(line));
        }
        *log = Log::Server(server);
    }

    /// Their names (`tty1`, `ttyS0`).
    pub fn names(&self) -> Vec<String> {
        let list = self.list.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        list.iter().map(|console| console.name.clone()).collect()
    }

    /// Says one line on all of them.
    pub fn say(&self, line: &str) {
        let line = &*printable(line);
        tracing::info!("{line}");
        // The journal's copy.
        println!("{line}");
        match &mut *self.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            Log::Server(server) => server.say(line),
            Log::Kept(lines) if lines.len() < KEPT => lines.push(line.to_owned()),
            Log::Kept(_) => {}
        }
        let line = format!("{line}\r\n");
        let mut list = self.list.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for console in list.iter_mut().filter(|console| !console.stuck) {
            console.stuck = !write(&mut console.file, line.as_bytes());
        }
    }

    /// Gives slow lines the time to say what was last said.
    pub fn drain(&self) {
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Whether all of it went out.
fn write(file: &mut File, mut bytes: &[u8]) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return false,
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(_) => return false,
        }
    }
    true
}
