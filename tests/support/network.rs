//! A network of its own for machines that boot from it: a bridge in a network namespace, with
//! a real dnsmasq (DHCP, TFTP) and whatever else a test starts in it. Nothing of it is seen
//! outside, and two tests do not meet.
//!
//! ```text
//! namespace bks-PID-N:  br0 10.77.0.1, fd77::1 ─┬─ tap0 ─ machine 1 (10.77.0.101)
//!                       dnsmasq, servers        └─ tap1 ─ machine 2 (10.77.0.102)
//! ```
//!
//! ```no_run
//! let mut network = Network::new();
//! network.dnsmasq("dhcp-range=10.77.0.50,10.77.0.99\ndhcp-boot=http://10.77.0.1/boot.ipxe\n");
//! let server = network.command(&program).arg("serve").spawn();
//! let card = network.card();
//! let vm = Machine::new(Firmware::Bios).disk(&image).network(&card).start();
//! ```

use std::cell::Cell;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

use super::{dies_with_the_test, need, need_root, output, run};

/// The host's address in every such network.
pub const HOST: &str = "10.77.0.1";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A network; gone with all that runs in it when dropped.
#[derive(Debug)]
pub struct Network {
    name: String,
    dir: TempDir,
    children: Vec<Child>,
    cards: Cell<u32>,
    neighbour: Option<String>,
}

/// A machine's place in a network.
#[derive(Clone, Debug)]
pub struct Card {
    /// The namespace.
    pub namespace: String,
    /// The host's end.
    pub tap: String,
    /// The machine's address on the wire.
    pub mac: String,
    /// What dnsmasq gives it.
    pub ip: String,
}

impl Network {
    /// A bridge without ports.
    pub fn new() -> Self {
        need_root();
        let name = format!("bks-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::tempdir().expect("making the network's directory");
        ip(&["netns", "add", &name]);
        let network = Network { name, dir, children: Vec::new(), cards: Cell::new(0), neighbour: None };
        network.ip(&["link", "set", "lo", "up"]);
        // Without a delay before its first packets, and up without ports.
        network.ip(&["link", "add", "br0", "type", "bridge", "forward_delay", "0"]);
        network.ip(&["address", "add", &format!("{HOST}/24"), "dev", "br0"]);
        network.ip(&["address", "add", "fd77::1/64", "dev", "br0", "nodad"]);
        network.ip(&["link", "set", "br0", "up"]);
        network
    }

    fn ip(&self, args: &[&str]) {
        ip(&[&["-n", &self.name], args].concat());
    }

    /// The namespace's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A directory that goes with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Another host on the same wire, 10.77.0.2 on its eth0: the name of its namespace.
    pub fn neighbour(&mut self) -> String {
        let other = format!("{}-other", self.name);
        ip(&["netns", "add", &other]);
        self.neighbour = Some(other.clone());
        self.ip(&["link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", &other]);
        self.ip(&["link", "set", "veth0", "master", "br0", "up"]);
        ip(&["-n", &other, "address", "add", "10.77.0.2/24", "dev", "eth0"]);
        ip(&["-n", &other, "link", "set", "eth0", "up"]);
        other
    }

    /// A program in it, which dies with the test.
    pub fn command(&self, program: &Path) -> Command {
        inside(&self.name, program)
    }

    /// Starts one that is stopped with the network; what it says goes into the file `NAME.log`
    /// of [`Network::dir`].
    pub fn start(&mut self, name: &str, command: &mut Command) -> PathBuf {
        let path = self.dir.path().join(format!("{name}.log"));
        let log = File::create(&path).expect("creating a log");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("sharing a log")).stderr(log);
        self.children.push(command.spawn().unwrap_or_else(|error| panic!("starting {command:?}: {error}")));
        path
    }

    /// What `make` makes on a thread that is in the network, such as a socket: it stays in there.
    pub fn within<T: Send>(&self, make: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(Path::new("/run/netns").join(&self.name)).expect("opening the namespace");
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("entering it");
                make()
            });
            thread.join().expect("what runs in the network")
        })
    }

    /// Starts dnsmasq with this configuration on the bridge. Added to it: the addresses of the
    /// [`Card`]s, router advertisements (without them iPXE waits 16 seconds for IPv6), and
    /// where its files are.
    pub fn dnsmasq(&mut self, configuration: &str) {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        let file = path("dnsmasq.conf");
        std::fs::write(&file, configuration).expect("writing dnsmasq's configuration");
        let mut dnsmasq = self.command(&need("dnsmasq", "dnsmasq-base"));
        // The namespace has the users of the host, which may lack dnsmasq's own.
        dnsmasq.args(["--keep-in-foreground", "--user=root", "--port=0", "--bind-interfaces", "--interface=br0"]);
        dnsmasq.args(["--log-facility=-", "--log-dhcp", "--enable-ra", "--dhcp-range=fd77::,ra-stateless"]);
        dnsmasq.arg(format!("--conf-file={file}")).arg(format!("--pid-file={}", path("dnsmasq.pid")));
        dnsmasq.arg(format!("--dhcp-leasefile={}", path("leases")));
        for n in 1..=8 {
            let (mac, ip) = addresses(n);
            dnsmasq.arg(format!("--dhcp-host={mac},{ip}"));
        }
        let log = self.start("dnsmasq", &mut dnsmasq);
        wait_until(Duration::from_secs(10), "dnsmasq starts", || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let running = matches!(self.children.last_mut().map(Child::try_wait), Some(Ok(None)));
            assert!(running, "dnsmasq does not run:\n{said}");
            said.contains("started")
        });
    }

    /// What dnsmasq has said so far.
    pub fn dnsmasq_log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("dnsmasq.log")).unwrap_or_default()
    }

    /// A place for another machine: the next tap device, address and name.
    pub fn card(&self) -> Card {
        let n = self.cards.get() + 1;
        assert!(n <= 8, "dnsmasq knows eight addresses");
        self.cards.set(n);
        let (mac, ip) = addresses(n);
        let tap = format!("tap{n}");
        self.ip(&["tuntap", "add", &tap, "mode", "tap"]);
        self.ip(&["link", "set", &tap, "master", "br0", "up"]);
        Card { namespace: self.name.clone(), tap, mac, ip }
    }

    /// What curl gets from `url` inside.
    pub fn curl(&self, args: &[&str], url: &str) -> String {
        let curl = need("curl", "curl");
        run(self.command(&curl).args(["--silent", "--show-error", "--fail", "--max-time", "20"]).args(args).arg(url))
    }

    /// Waits until a server answers HTTP requests at `url`.
    pub fn wait_for_http(&self, url: &str) {
        let curl = need("curl", "curl");
        wait_until(Duration::from_secs(30), &format!("{url} answers"), || {
            output(self.command(&curl).args(["--silent", "--max-time", "2", "--output", "/dev/null", url]))
                .status
                .success()
        });
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().ok();
            child.wait().ok();
        }
        let tell = std::thread::panicking();
        if tell {
            let log = self.dnsmasq_log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the end of dnsmasq's log ---\n{}\n---", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        for name in self.neighbour.iter().chain([&self.name]) {
            let gone = output(Command::new(need("ip", "iproute2")).args(["netns", "delete", name]));
            assert!(gone.status.success() || tell, "the namespace {name} stays");
        }
    }
}

/// A program inside a namespace, which dies with the test. `ip netns exec` would give it all that
/// is mounted now as well, and nothing of that could be unmounted while it runs.
pub fn inside(namespace: &str, program: &Path) -> Command {
    let mut command = dies_with_the_test(&need("nsenter", "util-linux"));
    command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
    command
}

/// The n-th machine's.
fn addresses(n: u32) -> (String, String) {
    (format!("52:54:00:77:00:{n:02x}"), format!("10.77.0.{}", 100 + n))
}

fn ip(args: &[&str]) {
    run(Command::new(need("ip", "iproute2")).args(args));
}

/// Waits for a condition, a moment at a time.
pub fn wait_until(patience: Duration, what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
