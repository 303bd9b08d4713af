//! `mount`: a device that is there already gets a mount point.

use super::command::Command;
use super::part::normal_path;
use crate::args::spec::{ALL, Spec, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `mount`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// The command line.
    pub span: Span,
    /// The device: a path, or `UUID=…` and the like.
    pub device: String,
    /// The mount point, or `none` in any spelling.
    pub mount: String,
    /// `--reformat`: make a new file system.
    pub reformat: bool,
    /// The value of `--reformat`: of this kind, else the same as before. Given, it may be empty.
    pub format: Option<String>,
    /// `--mkfsoptions`: further arguments for mkfs.
    pub mkfs_options: Option<String>,
    /// `--mountoptions`: mount options.
    pub mount_options: Option<String>,
}

const SPEC: Spec = Spec::new("mount")
    .doc("Mounts a device that is there already.")
    .since(8, ALL)
    .repeatable()
    .options(&[
        text("--reformat").bare().doc("make a new file system, of this kind if one is given"),
        text("--mkfsoptions").doc("further arguments for mkfs"),
        text("--mountoptions").doc("mount options"),
    ])
    .positionals(&[one("a device"), one("a mount point")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let mkfs_options = args.nonempty("--mkfsoptions");
    if mkfs_options.is_some() {
        args.needs(cx, "--mkfsoptions", "--reformat");
    }
    let (Some(device), Some(mount)) = (args.argument(0), args.argument(1)) else {
        return;
    };
    if !mount.value.starts_with('/') && !mount.value.eq_ignore_ascii_case("none") {
        let message = format!("`{}` is no mount point", mount.value);
        cx.report(
            Diagnostic::new(&codes::INVALID_VALUE, mount.span, message).help("it takes a path from the root, or none"),
        );
    }
    kickstart.mounts.push(Mount {
        span: args.span,
        device: device.value.to_string(),
        mount: normal_path(&mount.value),
        reformat: args.flag("--reformat"),
        format: args.text("--reformat"),
        mkfs_options,
        mount_options: args.nonempty("--mountoptions"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.mounts.is_empty() {
        return;
    }
    pen.line("# Mount points configuration");
    for mount in &kickstart.mounts {
        let format = mount.format.as_ref();
        pen.text("mount")
            .word(&mount.device)
            .word(&mount.mount)
            .flag("--reformat", mount.reformat && format.is_none())
            .option("--reformat", format.filter(|format| !format.is_empty()))
            .quoted("--mkfsoptions", mount.mkfs_options.as_ref())
            .quoted("--mountoptions", mount.mount_options.as_ref())
            .end();
    }
    pen.end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn what_is_there_is_kept_or_not() {
        let text = "mount /dev/sda1 /\nmount /dev/sda2 /home/ --reformat\n\
                    mount --reformat xfs --mkfsoptions=\"-f -K\" --mountoptions=noatime /dev/sda3 NONE";
        let kickstart = good(text);
        let reformat: Vec<bool> = kickstart.mounts.iter().map(|m| m.reformat).collect();
        assert_eq!(reformat, [false, true, true]);
        let written = kickstart.to_pykickstart(Syntax::F44);
        let lines = "# Mount points configuration\nmount /dev/sda1 /\nmount /dev/sda2 /home --reformat\n\
                     mount /dev/sda3 NONE --reformat=xfs --mkfsoptions=\"-f -K\" --mountoptions=\"noatime\"\n\n";
        assert!(written.contains(lines), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("mount", &["E208", "E208"]),
            ("mount /dev/sda1", &["E208"]),
            ("mount --reformat /dev/sda1 /", &["E208"]),
            ("mount --reformat -- /dev/sda1 /", &[]),
            ("mount /dev/sda1 swap", &["E216"]),
            ("mount /dev/sda1 / x", &["E209"]),
            ("mount /dev/sda1 / --mkfsoptions=x", &["E215"]),
            ("mount /dev/sda1 / --mkfsoptions=x --reformat=", &[]),
            ("mount /dev/sda1 / --m=x", &["E204"]),
        ]);
        check_versions(&[(Syntax::Rhel7, "mount /dev/sda1 /", &["E102"])]);
    }
}
