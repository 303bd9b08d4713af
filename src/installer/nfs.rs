//! A kickstart on an NFS server. The kernel mounts it by itself, as it mounts a root file system:
//! nothing of the image is needed but the module.

use std::fs;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;

use installer_core::host::{Host, Real};
use installer_core::program::Program;
use installer_core::{Error, Stage};

use super::media::read_and_unmount;
use super::network::own_address;

/// Tried in this order unless the command line names one. The newest has nothing that a kickstart
/// needs, and its READ_PLUS has brought NULs in place of the file (Linux 6.12, nfs-ganesha 4.3).
const VERSIONS: &[&str] = &["4.1", "4.0", "3", "4.2"];

/// Reads the file `path` of `server`; `options` are those of nfs(5) that the kernel knows.
pub fn read(server: &str, path: &str, options: Option<&str>) -> Result<Vec<u8>, Error> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let export = format!("{server}:{}", if directory.is_empty() { "/" } else { directory });
    let address = address(server)?;
    let at = Path::new(super::places::WORK).join("source");
    let doing = || format!("mounting {export}");
    fs::create_dir_all(&at).map_err(|error| Error::failed(Stage::Request, doing()).because(error))?;
    let mut first = None;
    for version in versions(options.unwrap_or_default()) {
        let words = words(version, address, options);
        // Without the image's helper, which may not be there.
        let mount =
            Program::new("mount").args(["-i", "-t", "nfs", "-o", &words, &export]).arg(at.display().to_string());
        match Real.run(&mount, &mut |_| ()) {
            Ok(()) => {
                return read_and_unmount(&at, name)
                    .map_err(|error| Error::input(Stage::Request, format!("{path} on {server}: {error}")));
            }
            Err(error) => {
                let hopeless = is_hopeless(&error.to_string());
                first.get_or_insert(error);
                if hopeless {
                    break;
                }
            }
        }
    }
    let error = Error::world(Stage::Request, doing());
    let error = match first {
        Some(first) => error.because(first),
        None => error,
    };
    Err(error.hint("does the server export this directory to this machine, and has the image's kernel NFS?"))
}

/// Whether what mount(8) says of a server is the same with every version. (A version that is not
/// spoken has many names, a bad option and a missing directory among them.)
fn is_hopeless(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    ["denied", "timed out", "refused", "unreachable", "no route"].iter().any(|words| said.contains(words))
}

/// One try for each; one alone where the options name the version.
fn versions(options: &str) -> impl Iterator<Item = Option<&'static str>> {
    let names = |option: &str| {
        let short = option.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        short || option.starts_with("vers=") || option.starts_with("nfsvers=")
    };
    let named = options.split(',').any(names);
    let list: Vec<Option<&'static str>> =
        if named { vec![None] } else { VERSIONS.iter().map(|version| Some(*version)).collect() };
    list.into_iter()
}

/// What nfs(5)'s helper would find out. Nothing is locked: who watches over locks does not run here.
fn words(version: Option<&str>, address: IpAddr, options: Option<&str>) -> String {
    let mut words = vec!["ro,nolock,soft,timeo=100,retrans=2".to_owned(), format!("addr={address}")];
    words.extend(version.map(|version| format!("vers={version}")));
    words.extend(own_address(address).map(|own| format!("clientaddr={own}")));
    words.extend(options.map(str::to_owned));
    words.join(",")
}

fn address(server: &str) -> Result<IpAddr, Error> {
    let name = server.trim_start_matches('[').trim_end_matches(']');
    let found = (name, 2049).to_socket_addrs().map(|mut all| all.next());
    match found {
        Ok(Some(address)) => Ok(address.ip()),
        Ok(None) => Err(Error::world(Stage::Request, format!("the NFS server {server} has no address"))),
        Err(error) => Err(Error::world(Stage::Request, format!("the NFS server {server}"))
            .because(error)
            .hint("is its name right, and does DHCP name a server that knows it?")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_told_what_a_helper_would() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let said = words(Some("4.2"), local, Some("port=7"));
        assert_eq!(said, "ro,nolock,soft,timeo=100,retrans=2,addr=127.0.0.1,vers=4.2,clientaddr=127.0.0.1,port=7");
        assert_eq!(versions("port=7").collect::<Vec<_>>(), [Some("4.1"), Some("4.0"), Some("3"), Some("4.2")]);
        for named in ["nfsvers=3", "ro,vers=4.1", "v4.2"] {
            assert_eq!(versions(named).collect::<Vec<_>>(), [None], "{named}");
        }
        assert!(is_hopeless("permission denied.") && is_hopeless("mount(2) system call failed: Connection timed out."));
        for other in ["Protocol not supported.", "wrong fs type, bad option, bad superblock", "s:/x does not exist"] {
            assert!(!is_hopeless(other), "{other}");
        }
        assert_eq!(address("127.0.0.1").unwrap(), local);
        assert_eq!(address("[::1]").unwrap(), "::1".parse::<IpAddr>().unwrap());
    }
}
