//! The options of encryption, which several storage commands share.

use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Encryption;

/// The value of `--luks-version` from which on a disk may encrypt itself.
const HW: &str = "luks2-hw-opal";

/// Put together what the options say.
pub(crate) fn read(args: &Args, cx: &mut Cx<'_>) -> Encryption {
    let luks_version = args.nonempty("--luks-version");
    args.exclude(cx, "--pbkdf-time", "--pbkdf-iterations");
    if let Some(given) = args.last("--hw-passphrase")
        && !luks_version.as_deref().is_some_and(|v| v.starts_with(HW))
    {
        cx.report(Diagnostic::new(
            &codes::OPTION_NEEDS_OTHER,
            given.span,
            format!("`--hw-passphrase` needs `--luks-version={HW}`"),
        ));
    }
    Encryption {
        encrypted: args.flag("--encrypted"),
        passphrase: args.secret("--passphrase"),
        escrow_cert: args.nonempty("--escrowcert"),
        backup_passphrase: args.flag("--backuppassphrase"),
        cipher: args.nonempty("--cipher"),
        luks_version,
        pbkdf: args.nonempty("--pbkdf"),
        pbkdf_memory_kib: args.count("--pbkdf-memory").filter(|n| *n > 0),
        pbkdf_time_ms: args.count("--pbkdf-time").filter(|n| *n > 0),
        pbkdf_iterations: args.count("--pbkdf-iterations").filter(|n| *n > 0),
        hw_passphrase: args.secret("--hw-passphrase").filter(|s| !s.is_empty()),
    }
}
