//! `inst.sshd`: a way in while the installer runs, for machines without a screen. The
//! image's own sshd, for root alone, and only for those whom the kickstart names: keys of
//! its `sshkey` lines for root and for administrators, and what `sshpw` says of root. Who has only
//! a user's account in the system to come must not get at its disk. Without any of them it is not
//! started.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use installer_core::host::{Host, Real};
use installer_core::program::Program;
use installer_core::request::Password;
use installer_core::system::password::crypt;
use installer_core::units::Secret;
use kickstart_parser::kickstart::Kickstart;

use super::consoles::Consoles;
use super::network::own_address;
use super::places::WORK;
use crate::atomic_file::create_private;

/// Addresses that are set aside for documentation, behind whatever route there is.
const ANYWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];
/// Not an ed25519 key, which cannot be had where FIPS 140 is enforced.
const HOST_KEY: &str = "/run/bootc-ks/ssh_host_ecdsa_key";
/// The image's, in the environment.
const SSHD: &str = "/usr/sbin/sshd";
/// Groups whose members may become root, in the images that there are.
const ADMINISTRATORS: &[&str] = &["wheel", "sudo"];
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who may come in.
#[derive(Default)]
struct Guests {
    keys: Vec<String>,
    password: Option<Password>,
}

/// Starts it for those whom the kickstart names; says where, and by which host key it is known.
pub fn start(kickstart: &Kickstart, consoles: &Consoles) -> anyhow::Result<()> {
    if !Path::new(SSHD).exists() {
        anyhow::bail!("inst.sshd: the image has no sshd; add openssh-server to it and build the environment again");
    }
    let guests = guests(kickstart);
    if guests.keys.is_empty() && guests.password.is_none() {
        anyhow::bail!(
            "inst.sshd: no login would be possible; add an sshkey of root or of an administrator, or 'sshpw --username=root', \
             to the kickstart itself (what it includes from elsewhere is not looked at)"
        );
    }
    let password = guests.password.as_ref().map(crypt).transpose()?;
    let work = Path::new(WORK);
    create_private(&work.join("authorized_keys"), &(guests.keys.join("\n") + "\n"))?;
    create_private(&work.join("sshd_config"), &config(password.is_some()))?;
    account(password.as_deref().unwrap_or("*"))?;
    let fingerprint = host_key().context("inst.sshd: making a host key")?;
    let unit = Program::new("systemctl").args(["start", "bootc-ks-sshd.service"]);
    Real.run(&unit, &mut |_| ()).context("inst.sshd: starting the image's sshd")?;
    if !listens() {
        anyhow::bail!("inst.sshd: the image's sshd does not run; 'journalctl -u bootc-ks-sshd' says why");
    }
    let address = ANYWHERE.iter().find_map(|there| own_address(*there));
    let address = address.map_or_else(|| "this machine".to_owned(), |address| address.to_string());
    consoles.say(&format!("for a look inside: ssh root@{address} (its host key: {fingerprint})"));
    Ok(())
}

/// Makes one, and returns its fingerprint.
fn host_key() -> anyhow::Result<String> {
    let _ = fs::remove_file(HOST_KEY);
    let made = Program::new("ssh-keygen").args(["-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f", HOST_KEY]);
    Real.run(&made, &mut |_| ())?;
    let mut fingerprint = String::new();
    let shown = Program::new("ssh-keygen").args(["-l", "-f", HOST_KEY]);
    Real.run(&shown, &mut |line| fingerprint = line.split(' ').nth(1).unwrap_or(line).to_owned())?;
    Ok(fingerprint)
}

/// Whether it does, after a while; one that ends at once was started all the same.
fn listens() -> bool {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, 22)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    false
}

fn guests(kickstart: &Kickstart) -> Guests {
    let administrates = |name: &str| {
        let mut groups = kickstart.users.iter().filter(|user| user.name == name).flat_map(|user| &user.groups);
        name == "root" || groups.any(|group| ADMINISTRATORS.contains(&group.split('(').next().unwrap_or(group)))
    };
    let keys = kickstart.ssh_keys.iter().filter(|key| administrates(&key.username));
    let mut guests = Guests { keys: keys.map(|key| key.key.clone()).collect(), password: None };
    for line in kickstart.ssh_passwords.iter().filter(|line| !line.lock && line.username == "root") {
        let secret = || Secret::new(line.password.expose());
        if line.is_key {
            guests.keys.push(line.password.expose().to_owned());
        } else if line.is_crypted {
            guests.password = Some(Password::Hashed(secret()));
        } else {
            guests.password = Some(Password::Plain(secret()));
        }
    }
    guests
}

fn config(password: bool) -> String {
    let answer = if password { "yes" } else { "no" };
    format!(
        "HostKey {HOST_KEY}\nAuthorizedKeysFile {WORK}/authorized_keys\nAllowUsers root\nPermitRootLogin yes\n\
         PasswordAuthentication {answer}\nKbdInteractiveAuthentication no\nUsePAM no\nPrintMotd no\n"
    )
}

/// Root's line in shadow(5); `*` is a password that matches nothing.
fn account(hash: &str) -> anyhow::Result<()> {
    let shadow = Path::new("/etc/shadow");
    let others = fs::read_to_string(shadow).unwrap_or_default();
    let others: String =
        others.lines().filter(|line| !line.starts_with("root:")).map(|line| format!("{line}\n")).collect();
    create_private(shadow, &format!("root:{hash}:::::::\n{others}"))
}

#[cfg(test)]
mod tests {
    use kickstart_parser::{ParseOptions, parse};

    use super::*;

    #[test]
    fn whom_the_kickstart_names() {
        let text = "user --name=ann --groups=wheel(10),x\nuser --name=bob --groups=users\n\
                    sshkey --username=ann \"ssh-ed25519 A ann\"\nsshkey --username=bob \"ssh-ed25519 C bob\"\nsshpw --username=root --sshkey ssh-ed25519 B\n\
                    sshpw --username=install x\nsshpw --username=root hunter2\n";
        let parsed = parse(text, "site.ks", &ParseOptions::default());
        let guests = guests(&parsed.kickstart);
        assert_eq!(guests.keys, ["ssh-ed25519 A ann", "ssh-ed25519 B"]);
        assert_eq!(guests.password, Some(Password::Plain(Secret::new("hunter2"))));
        assert!(config(false).contains("PasswordAuthentication no\n"));
        assert!(config(true).contains("PasswordAuthentication yes\n"));
    }

    #[test]
    fn a_locked_account_allows_no_login() {
        let parsed = parse("sshpw --username=root --lock x\n", "site.ks", &ParseOptions::default());
        assert!(guests(&parsed.kickstart).password.is_none());
    }
}
