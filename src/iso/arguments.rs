//! Arguments that several of the commands share.

use std::path::PathBuf;

use anyhow::Context;
use pxe::custom::Custom;

use crate::site;

/// What a user wants on a medium, for `build` and `customize` alike.
#[derive(Debug, clap::Args)]
pub struct CustomArgs {
    /// The kickstart: a path, '-' for standard input, or an http(s) URL
    #[arg(long, value_name = "KS")]
    pub ks: Option<String>,

    /// Another kernel argument; repeatable
    #[arg(long, value_name = "ARG")]
    pub karg: Vec<String>,

    /// A certificate authority for the installer to trust, in PEM form; repeatable
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<PathBuf>,
}

impl CustomArgs {
    /// Reads what is named.
    pub fn read(&self) -> anyhow::Result<Custom> {
        let mut custom = Custom::default();
        if let Some(name) = &self.ks {
            custom.kickstart = Some(site::for_medium(name)?.into_bytes());
        }
        for path in &self.ca {
            let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            custom.add_certificate(&path.to_string_lossy(), &pem)?;
        }
        Ok(custom)
    }
}

/// Put a kickstart, kernel arguments or certificates onto an ISO.
#[derive(Debug, clap::Args)]
#[command(after_help = "An ISO that 'bootc-ks iso build' made, a file or the whole device that it was written to, is \
    changed in place, in an instant, unless there is an --output. What was built into it stays below what is put in: \
    the kickstart takes the place of that one, kernel arguments and certificates are added. If something stops the \
    change half way, the ISO starts nothing until it is customised again or reset.\n\n\
    Of an ISO of another installer (Anaconda's of Fedora, CentOS and RHEL) a customised copy is written, which needs \
    --output, xorriso and mtools: the kickstart becomes /ks.cfg in it, and every boot menu names it.\n\n\
    Exit codes: 0 done; 2 the kickstart or the ISO cannot be used, or there is not enough room; 3 a program is \
    missing or failed; 4 the ISO has been customised before, or has a /ks.cfg.")]
#[command(group = clap::ArgGroup::new("something").args(["ks", "karg", "ca"]).multiple(true).required(true))]
pub struct CustomizeArgs {
    /// The ISO
    #[arg(value_name = "ISO")]
    pub iso: PathBuf,

    #[command(flatten)]
    pub custom: CustomArgs,

    /// Leave the ISO as it is and write a copy to this file, which only its owner may read; '-' is
    /// standard output, for ISOs of 'bootc-ks iso build'
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Put it in place of what was put in before
    #[arg(long)]
    pub force: bool,
}
