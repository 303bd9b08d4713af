//! `vnc`: the installer on a screen elsewhere, until `rdp` took its place.

use super::command::Command;
use crate::args::spec::{Spec, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;

/// `vnc`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vnc {
    /// The command line.
    pub span: Span,
    /// `--host`: connect to a viewer that listens there.
    pub host: Option<String>,
    /// `--port`: where it listens.
    pub port: Option<String>,
    /// `--password`: who connects must know it.
    pub password: Option<Secret>,
}

const SPEC: Spec = Spec::new("vnc")
    .doc("Shows the installer to a VNC viewer on another machine.")
    .deprecated(10, 43)
    .removed(11, 45)
    .options(&[
        text("--password").secret().doc("the password that the viewer must give"),
        text("--host").doc("a listening viewer to connect to"),
        text("--port").doc("the port that it listens on"),
        text("--connect").long_gone().doc("a listening viewer, as HOST:PORT"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    kickstart.vnc = Some(Vnc {
        span: args.span,
        host: args.nonempty("--host"),
        port: args.nonempty("--port"),
        password: args.secret("--password").filter(|password| !password.is_empty()),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(vnc) = &kickstart.vnc {
        let port = vnc.host.as_ref().and(vnc.port.as_ref());
        pen.text("vnc").option("--host", vnc.host.as_ref()).option("--port", port);
        pen.option("--password", vnc.password.as_ref().map(Secret::expose)).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn viewers() {
        for (text, line) in [
            ("vnc", "vnc"),
            ("vnc --port=5", "vnc"),
            ("vnc --password=p --port=5 --host=a", "vnc --host=a --port=5 --password=p"),
            ("vnc --host=a\nvnc --password=p", "vnc --host=a --password=p"),
        ] {
            let (kickstart, codes) = read_as(Syntax::Rhel9, text);
            assert!(codes.is_empty());
            let written = kickstart.to_pykickstart(Syntax::Rhel9);
            assert!(written.contains(&format!("\n{line}\n")), "{text}: {written}");
        }
    }

    #[test]
    fn versions() {
        check_versions(&[
            (Syntax::Rhel9, "vnc --connect=a", &["E203"]),
            (Syntax::Rhel9, "vnc x", &["E209"]),
            (Syntax::F42, "vnc", &[]),
            (Syntax::Rhel10, "vnc --whatever", &["W101"]),
            (Syntax::F45, "vnc", &["E103"]),
        ]);
    }
}
