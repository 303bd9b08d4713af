//! Which image: `ostreecontainer` has the transport apart from it, `bootc` in front of it. The
//! language allows only one of them.

use kickstart_parser::Span;
use kickstart_parser::kickstart::{Bootc, Kickstart, OstreeContainer};

use super::super::in_kickstart::in_kickstart;
use super::Reader;
use crate::image::ImageReference;
use crate::units::Stateroot;

/// What a kickstart says of the image.
#[derive(Default)]
pub(super) struct Asked {
    pub image: Option<String>,
    /// Where updates come from, if from somewhere else.
    pub update_from: Option<String>,
    pub stateroot: Option<String>,
    pub unsigned_is_fine: bool,
}

impl Reader<'_> {
    pub(super) fn image(&mut self, kickstart: &Kickstart) -> Asked {
        match (&kickstart.ostreecontainer, &kickstart.bootc) {
            (Some(container), _) => Asked {
                image: self.container(container),
                stateroot: self.stateroot(container.stateroot.clone(), container.span),
                unsigned_is_fine: container.no_signature_verification,
                update_from: None,
            },
            (None, Some(bootc)) => self.bootc(bootc),
            (None, None) => Asked::default(),
        }
    }

    /// It becomes a directory and a part of the kernel's command line.
    fn stateroot(&mut self, name: Option<String>, span: Span) -> Option<String> {
        let name = name?;
        match name.parse::<Stateroot>() {
            Ok(_) => Some(name),
            Err(why) => {
                self.refuse(
                    span,
                    format!("--stateroot={name:?}: {why}"),
                    "leave --stateroot out, or name one such as 'default'",
                );
                None
            }
        }
    }

    fn container(&mut self, container: &OstreeContainer) -> Option<String> {
        if let Some(remote) = &container.remote
            && !container.no_signature_verification
        {
            self.refuse(
                container.span,
                format!("ostreecontainer: signatures by the OSTree remote '{remote}' cannot be verified"),
                "leave --remote out; the image's digest is pinned and every byte is checked against it",
            );
        }
        let transport = container.transport.as_deref().unwrap_or("registry");
        let image = match transport {
            "registry" | "docker" => container.url.trim_start_matches("docker://").to_owned(),
            "oci" | "oci-archive" => format!("{transport}:{}", container.url),
            other => {
                self.refuse(
                    container.transport_span.unwrap_or(container.span),
                    format!("ostreecontainer: transport '{other}' is not supported"),
                    "use --transport=registry, oci or oci-archive",
                );
                return None;
            }
        };
        self.judge("ostreecontainer", &image, !container.url.is_empty(), container.url_span);
        Some(image)
    }

    /// What Anaconda hands to `bootc install to-filesystem`.
    fn bootc(&mut self, bootc: &Bootc) -> Asked {
        self.refuse_if(
            bootc.composefs,
            bootc.span,
            "bootc --composefs is not supported",
            "leave it out: whether an OSTree deployment is mounted through composefs is the image's own configuration \
             (prepare-root.conf)",
        );
        if let Some(other) = bootc.bootloader.as_deref().filter(|name| *name != "grub") {
            self.refuse(
                bootc.span,
                format!("bootc: boot loader '{other}' is not supported"),
                "leave --bootloader out; the boot loader is what the image brings, bootupd or GRUB",
            );
        }
        let apart = bootc.target != bootc.source;
        self.judge("bootc", &bootc.source, !bootc.source.is_empty(), bootc.source_span);
        self.judge("bootc --target-imgref", &bootc.target, apart, bootc.span);
        Asked {
            image: Some(bootc.source.clone()),
            update_from: Some(bootc.target.clone()).filter(|_| apart),
            stateroot: self.stateroot(Some(bootc.stateroot.clone()).filter(|name| !name.is_empty()), bootc.span),
            unsigned_is_fine: false,
        }
    }

    /// Of what is `given`; that a name is empty is told by the language.
    fn judge(&mut self, what: &str, image: &str, given: bool, span: Span) {
        if let Some(error) = image.parse::<ImageReference>().err().filter(|_| given) {
            let help = error
                .remedy()
                .map_or_else(|| "write it as REGISTRY/NAME:TAG".to_owned(), |help| help.say(&in_kickstart));
            self.bad(span, format!("{what}: {error}"), &help);
        }
    }
}
