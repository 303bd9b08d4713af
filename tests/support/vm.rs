//! A machine that runs: wait for it, talk to it, switch it off.

use std::path::PathBuf;
use std::process::{Child, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::need;
use super::network::Card;
use super::qemu::Permit;
use super::ssh::{Session, SshKey, Way, ssh};

/// A running machine; killed when dropped. If the test is failing, the tail of
/// its serial console is printed.
#[derive(Debug)]
pub struct Vm {
    pub(super) child: Child,
    pub(super) dir: TempDir,
    pub(super) serial: PathBuf,
    pub(super) way: Way,
    pub(super) started: Instant,
    pub(super) login: Option<Session>,
    pub(super) _permit: Permit,
}

impl Vm {
    /// A user-mode kernel that runs as `child`, with its log in `dir`.
    pub(super) fn of_user_mode(child: Child, dir: TempDir, card: Option<&Card>, permit: Permit) -> Self {
        let way = match card {
            Some(card) => Way::Address { namespace: card.namespace.clone(), ip: card.ip.clone() },
            // Nothing listens there.
            None => Way::Port(0),
        };
        let serial = dir.path().join("serial.log");
        Self { child, dir, serial, way, started: Instant::now(), login: None, _permit: permit }
    }

    /// Waits until `user` can log in with `key`, and returns the time since the
    /// machine was switched on. [`Vm::ssh`] uses the same login from then on.
    pub fn wait_for_ssh(&mut self, key: &SshKey, user: &str, timeout: Duration) -> Duration {
        need("ssh", "openssh-client");
        let deadline = Instant::now() + timeout;
        while !ssh(&self.way, key, user, "true").status.success() {
            self.assert_running();
            assert!(Instant::now() < deadline, "no SSH login as {user} within {timeout:?}");
            std::thread::sleep(Duration::from_secs(1));
        }
        self.login = Some(Session::new(&self.way, key, user, self.dir.path()));
        self.started.elapsed()
    }

    /// How it is reached.
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// Runs a command inside; [`Vm::wait_for_ssh`] comes first.
    pub fn ssh(&self, script: &str) -> Output {
        self.session().run(script)
    }

    fn session(&self) -> &Session {
        self.login.as_ref().expect("wait_for_ssh comes first")
    }

    /// Runs a command inside that has to succeed; its trimmed standard output.
    pub fn ssh_ok(&self, script: &str) -> String {
        let output = self.ssh(script);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "in the machine, `{script}`: {}\n{out}{err}", output.status);
        out.trim().to_owned()
    }

    /// Copies files of this host into a directory of the machine.
    pub fn send(&self, files: &[&std::path::Path], directory: &str) {
        self.session().send(files, directory);
    }

    /// The serial console so far, without terminal control sequences.
    pub fn serial(&self) -> String {
        let raw = std::fs::read(&self.serial).unwrap_or_default();
        strip_controls(&String::from_utf8_lossy(&raw))
    }

    /// Waits until the serial console has said `text`.
    pub fn wait_for_serial(&mut self, text: &str, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        while !self.serial().contains(text) {
            self.assert_running();
            assert!(Instant::now() < deadline, "no `{text}` on the serial console within {timeout:?}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Waits until the serial console has said one of `texts`, and returns it; `None` if the
    /// machine ends, or says none of them in time.
    pub fn wait_for_one_of<'a>(&mut self, texts: &[&'a str], timeout: Duration) -> Option<&'a str> {
        let deadline = Instant::now() + timeout;
        loop {
            let running = matches!(self.child.try_wait(), Ok(None));
            let serial = self.serial();
            if let Some(said) = texts.iter().find(|text| serial.contains(**text)) {
                return Some(said);
            }
            if !running || Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Waits until the machine has switched itself off.
    pub fn wait_for_exit(&mut self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        while matches!(self.child.try_wait(), Ok(None)) {
            self.assert_no_panic();
            assert!(Instant::now() < deadline, "still running after {timeout:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Shuts the system down properly: the disk image is complete afterwards.
    pub fn power_off(mut self, timeout: Duration) {
        self.ssh("sudo -n systemctl poweroff");
        self.session().hang_up();
        self.wait_for_exit(timeout);
    }

    /// Ends it as a power failure does: what it has written to its disks is there, what it was
    /// about to write is not.
    pub fn cut_power(mut self) {
        self.child.kill().expect("killing the machine");
        self.child.wait().expect("waiting for the machine's end");
    }

    fn assert_running(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            let log = std::fs::read_to_string(self.dir.path().join("qemu.log")).unwrap_or_default();
            panic!("the machine is off ({status}): {log}");
        }
        self.assert_no_panic();
    }

    /// A kernel that has panicked would be waited for to the end of the test's patience.
    fn assert_no_panic(&self) {
        let serial = self.serial();
        // A host whose processors are taken delivers the timer's interrupts too late for this check.
        let busy = "IO-APIC + timer doesn't work";
        assert!(!serial.contains(busy), "the emulated timer was late: other programs take this host's processors");
        assert!(!serial.contains("end Kernel panic"), "the kernel has panicked");
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.login = None;
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            let text = self.serial();
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            let tail = lines[lines.len().saturating_sub(60)..].join("\n");
            eprintln!("--- the end of the serial console ---\n{tail}\n---");
        }
    }
}

/// Drops escape sequences (CSI, OSC, single ones) and carriage returns.
fn strip_controls(text: &str) -> String {
    let (mut plain, mut chars) = (String::with_capacity(text.len()), text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(']') => {
                    while let Some(c) = chars.next() {
                        if c == '\x07' || (c == '\x1b' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\r' => {}
            c => plain.push(c),
        }
    }
    plain
}
