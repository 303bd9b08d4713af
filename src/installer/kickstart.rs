//! Which kickstart, and how it comes here: named on the command line, put into the initramfs,
//! or on a volume with the label that Anaconda looks for.

use std::fs;
use std::io::Write;
use std::path::Path;

use installer_core::host::{Host, ProgramError, Real};
use installer_core::program::Program;
use installer_core::units::Secret;
use installer_core::{Error, Stage};
use pxe::options::{Options, Source};

use super::consoles::Consoles;
use super::places::{KICKSTART, WORK};
use super::{media, nfs};
use crate::atomic_file;
use crate::fetch::{self, Request};

/// Where one lies that was put into the initramfs.
const PUT_IN: &str = "/ks.cfg";
/// A volume with this label is made to bring a kickstart or drivers.
const OEM_VOLUME: &str = "LABEL=OEMDRV";

/// Where the kickstart comes from.
#[derive(Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The last one named.
    From(Source),
    /// The first of these that is there.
    FirstOf(Vec<Source>),
}

/// Decides.
pub fn choose(options: &Options) -> Result<Chosen, Error> {
    if options.all && options.kickstarts.len() > 1 {
        return Ok(Chosen::FirstOf(options.kickstarts.clone()));
    }
    if let Some(source) = options.kickstarts.last() {
        return Ok(Chosen::From(source.clone()));
    }
    if Path::new(PUT_IN).exists() {
        return Ok(Chosen::From(Source::File(PUT_IN.into())));
    }
    if media::node(OEM_VOLUME).exists() {
        return Ok(Chosen::From(Source::Device { device: OEM_VOLUME.into(), path: PUT_IN.into() }));
    }
    Err(Error::input(Stage::Request, "no kickstart: the kernel's command line names none, and there is no /ks.cfg")
        .hint(
            "boot with inst.ks=http://SERVER/site.ks, or put one in by 'bootc-ks netboot customize' or 'iso customize'",
        ))
}

/// Brings it to its place, readable for root alone.
pub fn fetch(chosen: &Chosen, options: &Options, consoles: &Consoles) -> anyhow::Result<()> {
    let text = match chosen {
        Chosen::From(source) => one(source, options, consoles)?,
        Chosen::FirstOf(sources) => first_of(sources, options, consoles)?,
    };
    atomic_file::create_private_by(Path::new(KICKSTART), |file| Ok(file.write_all(&text)?))
}

/// The first that is there; the last one's error if none is.
fn first_of(sources: &[Source], options: &Options, consoles: &Consoles) -> anyhow::Result<Vec<u8>> {
    let (last, others) = sources.split_last().ok_or_else(|| anyhow::anyhow!("no kickstart was named"))?;
    for source in others {
        match one(source, options, consoles) {
            Ok(text) => return Ok(text),
            Err(error) => consoles.say(&format!("warning: {error:#}")),
        }
    }
    one(last, options, consoles)
}

fn one(source: &Source, options: &Options, consoles: &Consoles) -> anyhow::Result<Vec<u8>> {
    match source {
        Source::Url(url) => {
            consoles.say(&format!("fetching the kickstart from {}", fetch::without_password(url)));
            if url.starts_with("ftp:") {
                return ftp(url, options);
            }
            let request =
                Request { headers: headers(options), verify: !options.no_verify_tls, proxy: options.proxy.clone() };
            let patience = options.kickstart_timeout.unwrap_or(fetch::INSTALLER_PATIENCE);
            let text = request.get(url, patience, &|line| consoles.say(line)).map_err(|error| {
                Error::world(Stage::Request, format!("{error:#}"))
                    .hint("is the address right, does the server answer, and is its certificate known here?")
            })?;
            Ok(text.into_bytes())
        }
        Source::Nfs { options, server, path } => {
            consoles.say(&format!("the kickstart is {path} on the NFS server {server}"));
            Ok(nfs::read(server, path, options.as_deref())?)
        }
        Source::File(path) => {
            consoles.say(&format!("the kickstart is {path} of this environment"));
            Ok(fs::read(path).map_err(|error| Error::input(Stage::Request, format!("{path}: {error}")))?)
        }
        Source::Device { device, path } => {
            consoles.say(&format!("the kickstart is {path} on {device}"));
            Ok(media::read(device, path, options.wait_for_disks)?)
        }
        Source::Cdrom { device, path } => {
            let device = device.as_deref().unwrap_or("sr0");
            consoles.say(&format!("the kickstart is {path} on the disc in {device}"));
            Ok(media::read(device, path, options.wait_for_disks)?)
        }
    }
}

/// By the image's curl. It reads the address, which may have a password in it, from its input.
fn ftp(url: &str, options: &Options) -> anyhow::Result<Vec<u8>> {
    let to = Path::new(WORK).join("fetched");
    let line = |key: &str, value: &str| format!("{key} = \"{}\"\n", value.replace('\\', "\\\\").replace('"', "\\\""));
    let mut config = line("url", url);
    if let Some(proxy) = &options.proxy {
        config += &line("proxy", proxy);
    }
    let mut curl = Program::new("curl").args(["--disable", "--config", "-", "--globoff", "--silent", "--show-error"]);
    curl = curl.args(["--connect-timeout", "15", "--max-time", "120", "--output"]).arg(to.display().to_string());
    curl.stdin = Some(Secret::new(config));
    Real.run(&curl, &mut |_| ()).map_err(|error| {
        let hint = match error {
            ProgramError::Missing { .. } => "add curl to the image and build the environment again, or use http",
            _ => "is the address right, and does the server allow access without a password?",
        };
        Error::world(Stage::Request, format!("fetching {}", fetch::without_password(url))).because(error).hint(hint)
    })?;
    let text = fs::read(&to)?;
    fs::remove_file(&to)?;
    Ok(text)
}

/// What Anaconda tells a kickstart's server; sites have scripts that expect it.
fn headers(options: &Options) -> Vec<(String, String)> {
    let mut headers = vec![("X-Anaconda-Architecture".to_owned(), std::env::consts::ARCH.to_owned())];
    if let Some(name) = release() {
        headers.push(("X-Anaconda-System-Release".to_owned(), name));
    }
    if options.send_mac {
        headers.extend(cards().into_iter().enumerate().map(|(n, card)| (format!("X-RHN-Provisioning-MAC-{n}"), card)));
    }
    let serial = fs::read_to_string("/sys/class/dmi/id/product_serial").unwrap_or_default();
    if options.send_serial && !serial.trim().is_empty() {
        headers.push(("X-System-Serial-Number".to_owned(), serial.trim().to_owned()));
    }
    headers
}

fn release() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("NAME="))?;
    Some(name.trim_matches('"').chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect())
}

/// `eth0 52:54:00:12:34:56` for every card.
fn cards() -> Vec<String> {
    let entries = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut cards: Vec<String> = entries
        .filter(|entry| entry.file_name() != "lo")
        .filter_map(|entry| {
            let address = fs::read_to_string(entry.path().join("address")).ok()?;
            Some(format!("{} {}", entry.file_name().to_string_lossy(), address.trim()))
        })
        .collect();
    cards.sort();
    cards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_named_counts_unless_all_are_tried() {
        let two = "inst.ks=http://a/1 inst.ks=http://a/2";
        let url = |n: u8| Source::Url(format!("http://a/{n}"));
        assert_eq!(choose(&Options::parse(two)).unwrap(), Chosen::From(url(2)));
        let all = Options::parse(&format!("{two} inst.ks.all"));
        assert_eq!(choose(&all).unwrap(), Chosen::FirstOf(vec![url(1), url(2)]));
        let none = choose(&Options::default());
        assert!(none.is_err_and(|error| error.remedy().is_some_and(|hint| hint.to_string().contains("inst.ks="))));
    }
}
