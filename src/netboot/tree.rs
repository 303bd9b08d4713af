//! `bootc-ks netboot tree`: files for servers that people run already.

use std::path::PathBuf;
use std::process::ExitCode;

use pxe::environment::Environment;
use pxe::tree::{Kickstart, Tree, Url};

use crate::site;

/// Write a static tree for boot servers that are there already.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The tree has what iPXE, GRUB and pxelinux read, kernel and initramfs, and examples for dnsmasq, Kea \
    and nginx. It has no memory: a machine that boots it is installed, each time. The examples offer it to machines that are \
    listed alone; 'bootc-ks netboot serve' keeps track instead. For GRUB the tree has to be at the root of its \
    server.\n\n\
    Exit codes: 0 done; 2 the environment, the kickstart or an address cannot be used; 3 the tree cannot be written; \
    4 the directory has something else in it."
)]
pub struct Args {
    /// The directory that 'bootc-ks netboot build' made
    #[arg(long, value_name = "DIR")]
    environment: PathBuf,

    /// Where the tree will be reached: `http://10.0.0.1`
    #[arg(long, value_name = "URL")]
    url: String,

    #[command(flatten)]
    source: Source,

    /// The directory to write; new, empty, or written by this command before
    #[arg(short, long, value_name = "TREE")]
    output: PathBuf,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// A kickstart that becomes a file of the tree, where every client can read it
    #[arg(long, value_name = "FILE")]
    ks: Option<String>,

    /// Where machines get their kickstart
    #[arg(long, value_name = "URL")]
    ks_url: Option<String>,
}

/// Writes the tree and names what is in it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let url = Url::parse(&args.url)?;
    let environment = Environment::open(&args.environment)?;
    let kickstart = match (&args.source.ks, &args.source.ks_url) {
        (Some(file), _) => Kickstart::Text(site::for_medium(file)?),
        (None, Some(url)) => Kickstart::Url(url.clone()),
        (None, None) => anyhow::bail!("give --ks or --ks-url"),
    };
    let files = Tree { environment: &environment, url, kickstart }.write(&args.output)?;
    eprintln!("{}: {} files; examples for dnsmasq, Kea and nginx are among them", args.output.display(), files.len());
    Ok(ExitCode::SUCCESS)
}
