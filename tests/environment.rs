//! The installer environment: made out of the demo image, booted, and the machine is
//! installed by the example kickstart as it stands; or it is not, and says why.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::cli::run_in;
use crate::support::disk::{fingerprint, sparse_file};
use crate::support::environment::{environment, environment_of};
use crate::support::network::{Card, HOST, Network};
use crate::support::places::Place;
use crate::support::qemu::{Firmware, Machine};
use crate::support::registry::Registry;
use crate::support::ssh::SshKey;
use crate::support::uml::{Running, UserModeLinux};
use crate::support::{demo_image, example};

const PATIENCE: Duration = Duration::from_secs(900);

/// A server for kickstarts and reports; what was posted is kept.
struct Server {
    port: u16,
    posted: Arc<Mutex<Vec<(String, String)>>>,
}

impl Server {
    /// Serves `kickstart` as /site.ks for as long as the test runs, on loopback: 10.0.2.2 for QEMU.
    fn start(kickstart: String) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), kickstart)
    }

    /// The same where `listener` listens.
    fn on(listener: TcpListener, kickstart: String) -> Self {
        let port = listener.local_addr().unwrap().port();
        let posted = Arc::new(Mutex::new(Vec::new()));
        let kept = posted.clone();
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let (head, body) = read_request(&mut client);
                let mut words = head.split(' ');
                let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or("").to_owned());
                let answer = match (method, path.as_str()) {
                    ("GET", "/site.ks") => Some(kickstart.as_str()),
                    ("POST", _) => Some(""),
                    _ => None,
                };
                kept.lock().unwrap().push((path, if method == "POST" { body } else { head }));
                let status = if answer.is_some() { "200 OK" } else { "404 Not Found" };
                let text = answer.unwrap_or("");
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
                client.write_all(format!("{head}{text}").as_bytes()).ok();
            }
        });
        Self { port, posted }
    }

    /// What was posted to paths that end in `end`, joined.
    fn posted(&self, end: &str) -> String {
        let all = self.posted.lock().unwrap();
        all.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, body)| body.as_str()).collect()
    }
}

/// The head and the body of one HTTP/1.1 request.
fn read_request(client: &mut impl Read) -> (String, String) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return (head.to_owned(), body.to_owned());
            }
        }
        match client.read(&mut buffer) {
            Ok(0) | Err(_) => return (String::new(), String::new()),
            Ok(n) => bytes.extend(&buffer[..n]),
        }
    }
}

/// A network with DHCP.
fn network() -> Network {
    let mut network = Network::new();
    network.dnsmasq("dhcp-range=10.77.0.50,10.77.0.99\n");
    network
}

/// The environment in `dir` on another kernel than its own, which comes with its modules.
fn starts(dir: &Path, card: &Card, disk: &Path, words: &str) -> Running {
    let machine = UserModeLinux::new().memory(2048).disk(disk).network(card);
    machine.start_initramfs(&dir.join("initrd.img"), &format!("initramfs_options=size=90% ip=dhcp {words}"), true)
}

/// A machine that starts kernel and initrd of the environment in `dir` by itself.
fn machine(dir: &Path, disk: &Path, words: &str) -> Machine {
    Machine::new(Firmware::Bios)
        .disk(disk)
        .arg("-no-reboot")
        .arg("-kernel")
        .arg(dir.join("vmlinuz"))
        .arg("-initrd")
        .arg(dir.join("initrd.img"))
        .arg("-append")
        .arg(format!("console=ttyS0,115200n8 initramfs_options=size=90% ip=dhcp {words}"))
}

#[test]
#[ignore = "what tests/boots.rs does, with a look at each report; part of `make test-long`"]
fn the_example_kickstart_installs_a_machine_that_lets_its_admin_in() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    let registry = Registry::start();
    registry.push(&demo_image(), "demo", "demo:latest");
    let server = Server::start(example::kickstart(&key));
    let host = format!("10.0.2.2:{}", server.port);
    let guest = registry.address().replace("127.0.0.1", "10.0.2.2");
    let disk = dir.path().join("disk.img");
    sparse_file(&disk, 8 << 30);

    let words = format!(
        "inst.ks=http://{host}/site.ks inst.ks.sendmac inst.frob bootc-ks.report=http://{host}/report/1 \
         bootc-ks.image={guest}/demo:latest bootc-ks.insecure={guest}"
    );
    let mut vm = machine(&environment(), &disk, &words).start();
    // -no-reboot: the restart that the kickstart asks for ends the emulator.
    vm.wait_for_exit(PATIENCE);
    let serial = vm.serial();
    assert!(serial.contains("Installed; reboot now."), "{serial}");
    assert!(serial.contains("warning: inst.frob: not known here"), "{serial}");
    drop(vm);

    let request = server.posted("/site.ks").to_lowercase();
    assert!(request.contains("x-rhn-provisioning-mac-0: ") && request.contains("52:54:00:12:34:56"), "{request}");
    assert_eq!(server.posted("/state"), "{\"state\":\"installing\"}{\"state\":\"installed\"}");
    let events = server.posted("/events");
    for event in ["started", "layer-finished", "step-finished", "finished"] {
        let is = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            line["event"] == event
        };
        assert!(events.lines().any(is), "{event}: {events}");
    }
    assert!(server.posted("/log").contains("installer_core"), "no log was sent");

    let mut vm = Machine::new(Firmware::Uefi).disk(&disk).start();
    let took = vm.wait_for_ssh(&key, "admin-user", PATIENCE);
    println!("a login {:.0} s after power on", took.as_secs_f64());
    example::looks_right(&vm);
    vm.power_off(Duration::from_secs(300));
}

#[test]
fn a_machine_without_its_kickstart_says_so_and_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let network = network();
    let card = network.card();
    let server = Server::on(network.within(|| TcpListener::bind((HOST, 0)).unwrap()), String::new());
    let host = format!("{HOST}:{}", server.port);
    let disk = dir.path().join("disk.img");
    sparse_file(&disk, 1 << 30);
    let before = fingerprint(&disk);
    let syslog = network.within(|| UdpSocket::bind((HOST, 0)).unwrap());
    let port = syslog.local_addr().unwrap().port();
    let words =
        format!("inst.ks=http://{host}/none.ks bootc-ks.report=http://{host}/report/1 inst.syslog={HOST}:{port}");
    let mut vm = starts(&environment(), &card, &disk, &words);
    vm.wait_for_serial("A shell is open on this console", PATIENCE);
    let serial = vm.serial();
    assert!(serial.contains(&format!("error: fetching http://{host}/none.ks: http status: 404")), "{serial}");
    assert!(serial.contains(" hint: is the address right"), "{serial}");
    assert!(serial.contains("not installed (its disks are untouched)"), "{serial}");
    let state = server.posted("/state");
    assert!(state.contains("\"state\":\"failed\"") && state.contains("404"), "{state}");
    drop(vm);
    assert_eq!(fingerprint(&disk), before);
    let logged = received(&syslog);
    assert!(logged.contains("this machine is going to be installed"), "before the network was there: {logged}");
    assert!(logged.contains("error: fetching") && logged.contains("its disks are untouched"), "{logged}");
}

/// All datagrams that came.
fn received(socket: &UdpSocket) -> String {
    socket.set_nonblocking(true).unwrap();
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while let Ok(length) = socket.recv(&mut buffer) {
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        text.push('\n');
    }
    text
}

#[test]
fn an_image_with_network_manager_finds_its_kickstart() {
    let dir = tempfile::tempdir().unwrap();
    let key = SshKey::generate(dir.path());
    let sshkey = format!("sshkey --username=root \"{}\"", key.public);
    let kickstart = format!("zerombr\nclearpart --all\nautopart\n{sshkey}\nfrobnicate\n");
    let network = network();
    let card = network.card();
    let (ftp, nfs) = (Place::ftp(&network, "site.ks", "autopart\n"), Place::nfs(&network, "site.ks", &kickstart));
    let disk = dir.path().join("disk.img");
    sparse_file(&disk, 1 << 30);
    let before = fingerprint(&disk);
    // The first is not there, on a server that is; another one would be read by FTP, did not NFS come before.
    let words = format!(
        "inst.sshd inst.ks.all inst.ks=ftp://{HOST}:{1}/none.ks inst.ks=nfs:port={0}:{HOST}:/ks/site.ks \
         inst.ks=ftp://{HOST}:{1}/site.ks",
        nfs.port, ftp.port
    );
    let mut vm = starts(&environment_of("demo-manager"), &card, &disk, &words);
    vm.wait_for_serial("A shell is open on this console", PATIENCE);
    let serial = vm.serial();
    assert!(serial.contains(&format!("warning: fetching ftp://{HOST}:{}/none.ks", ftp.port)), "{serial}");
    assert!(serial.contains("frobnicate") && serial.contains("its disks are untouched"), "{serial}");
    // A remote administrator can look why, with the keys that the kickstart has.
    assert!(serial.contains(&format!("for a look inside: ssh root@{}", card.ip)), "{serial}");
    vm.wait_for_ssh(&key, "root", PATIENCE);
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = SshKey::generate(elsewhere.path());
    assert!(!crate::support::ssh::ssh(vm.way(), &stranger, "root", "true").status.success(), "a stranger came in");
    let mode = vm.ssh_ok("stat -c '%a %U' /run/bootc-ks/ks.cfg /etc/shadow; grep -c frobnicate /run/bootc-ks/ks.cfg");
    assert_eq!(mode, "600 root\n600 root\n1");
    drop(vm);
    assert_eq!(fingerprint(&disk), before);
}

#[test]
fn an_installer_that_is_not_whole_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (env, cut) = (environment(), dir.path().join("cut"));
    std::fs::create_dir(&cut).unwrap();
    let whole = std::fs::read(env.join("initrd.img")).unwrap();
    std::fs::write(cut.join("initrd.img"), &whole[..whole.len() / 2]).unwrap();
    let disk = dir.path().join("disk.img");
    sparse_file(&disk, 1 << 30);
    let network = network();
    let machine = UserModeLinux::new().disk(&disk).network(&network.card());
    let words = format!("ip=dhcp inst.ks=http://{HOST}/site.ks");
    let mut vm = machine.start_initramfs(&cut.join("initrd.img"), &words, false);
    vm.wait_for_serial("it does not restart by itself", PATIENCE);
    assert!(vm.serial().contains("error: this installer is not whole"), "{}", vm.serial());
    // It stays as it is, and does not end in the kernel's panic.
    std::thread::sleep(Duration::from_secs(3));
    assert!(!vm.serial().contains("Kernel panic"), "{}", vm.serial());
}

#[test]
fn an_environment_is_made_of_an_image_that_has_what_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("mine")).unwrap();
    std::fs::write(dir.path().join("mine/thesis.txt"), "years of work").unwrap();
    let image = crate::support::mini_system::mini_system();
    image.write(&dir.path().join("oci"), "mini");
    let build = |output: &str| run_in(dir.path(), &["netboot", "build", "--image", "oci:oci:mini", "-o", output]);
    build("mine").exits(4).says(&["mine holds something that is no installer environment"]);
    assert_eq!(std::fs::read_to_string(dir.path().join("mine/thesis.txt")).unwrap(), "years of work");
    build("new").exits(3).says(&["the image has no dracut", "add the package dracut"]);
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "something is left: {left:?}");
}
