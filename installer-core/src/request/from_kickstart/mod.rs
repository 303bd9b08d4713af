//! A kickstart's words turned into a request. What this installer cannot do is refused by
//! name, all of it in one go, each with its place in the file. Pure.

mod addon;
mod existing;
mod image;
mod membership;
mod network;
mod settings;
mod storage;
mod system;
#[cfg(test)]
mod tests;
mod usr;
mod volumes;

use kickstart_parser::codes::Code;
use kickstart_parser::kickstart::{BootloaderLocation, EndKind, Kickstart, ScriptKind};
use kickstart_parser::{Diagnostic, Severity, Sources, Span};

use super::types::{EndAction, Request, Script, When};
use crate::units::Secret;

/// Something that the language allows and this installer does not do.
pub const NOT_SUPPORTED: Code = Code {
    id: "R001",
    severity: Severity::Error,
    title: "not supported by this installer",
    explanation: "The kickstart is right, but this installer does not do what it asks for. Nothing was touched.",
};
/// Something that has no effect here.
pub const NO_EFFECT: Code = Code {
    id: "R002",
    severity: Severity::Warning,
    title: "no effect",
    explanation: "The kickstart is right, but this has no effect when a container image is installed.",
};
/// A value that means nothing to the installer.
pub const BAD_VALUE: Code = Code {
    id: "R003",
    severity: Severity::Error,
    title: "value that cannot be used",
    explanation: "The language takes the value, but nothing can be done with it.",
};

/// Something that the image lacks, where its facts are at hand.
pub const IMAGE_LACKS: Code = Code {
    id: "R004",
    severity: Severity::Error,
    title: "the image lacks what is needed",
    explanation: "The image cannot be installed in the way that the kickstart asks for.",
};
/// Something that the image makes doubtful, where its facts are at hand.
pub const IMAGE_DOUBT: Code = Code {
    id: "R005",
    severity: Severity::Warning,
    title: "doubtful with this image",
    explanation: "With this image, something may not come out as the kickstart asks for.",
};

/// The codes of this module's findings, and of those about an image.
pub const CODES: &[&Code] = &[&NOT_SUPPORTED, &NO_EFFECT, &BAD_VALUE, &IMAGE_LACKS, &IMAGE_DOUBT];

/// The request that `kickstart` makes, and what stands in its way.
pub fn from_kickstart(kickstart: &Kickstart, sources: &Sources) -> (Request, Vec<Diagnostic>) {
    let mut reader = Reader { sources, found: Vec::new() };
    let asked = reader.image(kickstart);
    let ours = reader.addons(kickstart);
    let request = Request {
        image: asked.image,
        update_from: ours.target.or(asked.update_from),
        stateroot: asked.stateroot,
        unsigned_is_fine: asked.unsigned_is_fine,
        digest: ours.digest,
        registry: ours.registry,
        disks: reader.disks(kickstart),
        layout: reader.layout(kickstart),
        kargs: kernel_arguments(kickstart),
        bootloader: reader.bootloader(kickstart),
        leave_boot_order: kickstart.bootloader.as_ref().is_some_and(|b| b.leave_boot_order),
        menu_timeout: kickstart.bootloader.as_ref().and_then(|b| u32::try_from(b.timeout_seconds?).ok()),
        menu_password: reader.menu_password(kickstart),
        system: reader.system(kickstart),
        scripts: reader.scripts(kickstart, ours.script_timeout),
        end: reader.end(kickstart),
        log_server: reader.log_server(kickstart),
    };
    reader.by_name(&kickstart.given);
    reader.no_effect(kickstart);
    (request, reader.found)
}

pub(super) struct Reader<'a> {
    sources: &'a Sources,
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic::new(&NOT_SUPPORTED, span, message).help(help));
    }

    fn refuse_if(&mut self, condition: bool, span: Span, message: &str, help: &str) {
        if condition {
            self.refuse(span, message, help);
        }
    }

    fn bad(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic::new(&BAD_VALUE, span, message).help(help));
    }

    fn place(&self, span: Span) -> String {
        let at = self.sources.locate(span);
        format!("{}:{}", at.path, at.line)
    }

    fn bootloader(&mut self, kickstart: &Kickstart) -> bool {
        let Some(bootloader) = &kickstart.bootloader else { return true };
        let span = bootloader.span;
        let help = "leave the option out, or use Anaconda";
        for (given, option) in [
            (bootloader.extlinux, "--extlinux"),
            (bootloader.sdboot, "--sdboot"),
            (bootloader.no_mbr, "--nombr"),
            (bootloader.location == Some(BootloaderLocation::Partition), "--location=partition"),
        ] {
            self.refuse_if(given, span, &format!("bootloader {option} is not supported"), help);
        }
        if bootloader.append.as_ref().is_some_and(|append| append.matches('"').count() % 2 == 1) {
            self.bad(
                span,
                "bootloader --append: a quotation mark is open at its end, and the kernel would take all that \
                 follows for a part of that argument",
                "close it: --append='name=\"one two\"'",
            );
        }
        !bootloader.disabled && bootloader.location != Some(BootloaderLocation::None)
    }

    /// GRUB reads a hash of its own making, and Anaconda gives it no other.
    fn menu_password(&mut self, kickstart: &Kickstart) -> Option<Secret> {
        let bootloader = kickstart.bootloader.as_ref()?;
        let password = bootloader.password.as_ref()?;
        let help = "write --iscrypted and what grub2-mkpasswd-pbkdf2 prints";
        let good = |c: char| c.is_ascii_alphanumeric() || c == '.';
        if password.expose().starts_with("grub.pbkdf2.") && password.expose().chars().all(good) {
            return Some(password.clone());
        }
        if bootloader.is_crypted {
            self.refuse(bootloader.span, "bootloader: GRUB cannot read this hash of a password", help);
        } else {
            self.bad(bootloader.span, "bootloader --password: it is not hashed as GRUB has it", help);
        }
        None
    }

    fn scripts(&self, kickstart: &Kickstart, time_limit: Option<u64>) -> Vec<Script> {
        let script = |script: &kickstart_parser::kickstart::Script| Script {
            when: match script.kind {
                ScriptKind::Pre => When::Pre,
                ScriptKind::PreInstall => When::PreInstall,
                ScriptKind::Post => When::Post,
                ScriptKind::OnError => When::OnError,
                ScriptKind::Traceback => When::Traceback,
            },
            inside: script.kind == ScriptKind::Post && !script.no_chroot,
            interpreter: script.interpreter.clone().unwrap_or_else(|| "/bin/sh".into()),
            body: script.text(),
            log: script.log.clone().filter(|log| !log.is_empty()),
            fatal: script.error_on_fail,
            time_limit,
            origin: self.place(script.span),
        };
        kickstart.scripts.iter().map(script).collect()
    }

    fn end(&mut self, kickstart: &Kickstart) -> EndAction {
        let Some(end) = &kickstart.end else { return EndAction::Nothing };
        self.refuse_if(end.kexec, end.span, "reboot --kexec is not supported", "leave --kexec out");
        match end.kind {
            EndKind::Reboot => EndAction::Reboot,
            EndKind::Poweroff | EndKind::Shutdown => EndAction::Poweroff,
            EndKind::Halt => EndAction::Halt,
        }
    }

    /// Where `logging` sends the events.
    fn log_server(&mut self, kickstart: &Kickstart) -> Option<String> {
        let logging = kickstart.logging.as_ref()?;
        let host = logging.host.as_deref()?;
        // A name or an address, as a URL may have it.
        let good = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() || !bare.chars().all(good) {
            self.bad(logging.span, format!("logging --host={host}: it is no name or address"), "name the log server");
            return None;
        }
        let port = match logging.port.as_deref().map(str::parse::<u16>) {
            None => 514,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                let port = logging.port.as_deref().unwrap_or_default();
                self.bad(logging.span, format!("logging --port={port}: it is no port"), "write a number up to 65535");
                return None;
            }
        };
        Some(if bare.contains(':') { format!("[{bare}]:{port}") } else { format!("{bare}:{port}") })
    }

    /// Says of everything that the language allows and that changes nothing here that it does.
    fn no_effect(&mut self, kickstart: &Kickstart) {
        if let Some(lang) = &kickstart.lang {
            self.warn_if(
                !lang.add_support.is_empty(),
                lang.span,
                "lang --addsupport: locales come with the image",
                "add them to the image",
            );
        }
        if let Some(bootloader) = &kickstart.bootloader {
            self.warn_if(
                bootloader.boot_drive.is_some() || !bootloader.drive_order.is_empty(),
                bootloader.span,
                "bootloader: it goes onto the disk of the system, whatever --boot-drive and --driveorder say",
                "name the disk with 'ignoredisk --only-use='",
            );
        }
        for guest in kickstart.ssh_passwords.iter().filter(|guest| guest.username != "root") {
            self.warn_if(
                true,
                guest.span,
                "sshpw: in this installer there is root alone",
                "write --username=root; users of the installed system are made by 'user'",
            );
        }
        if let Some(end) = &kickstart.end {
            self.warn_if(end.eject, end.span, "--eject: no medium is ejected", "take it out by hand");
        }
    }

    pub(super) fn warn_if(&mut self, condition: bool, span: Span, message: &str, help: &str) {
        if condition {
            self.found.push(Diagnostic::new(&NO_EFFECT, span, message).help(help));
        }
    }
}

fn kernel_arguments(kickstart: &Kickstart) -> Vec<String> {
    let append = kickstart.bootloader.as_ref().and_then(|b| b.append.as_deref()).unwrap_or_default();
    append.split_whitespace().map(str::to_owned).collect()
}
