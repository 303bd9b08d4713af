//! The options of encryption, which several storage commands share.

use super::storage;
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Encryption;
use crate::pen::Pen;
use crate::secret::Secret;

/// The value of `--luks-version` from which on a disk may encrypt itself.
const HW: &str = "luks2-hw-opal";

/// Put together what the options say.
pub(crate) fn read(args: &Args, cx: &mut Cx<'_>) -> Encryption {
    storage::exclude(args, cx, "--pbkdf-time", "--pbkdf-iterations");
    let encryption = Encryption {
        encrypted: args.flag("--encrypted"),
        passphrase: args.secret("--passphrase"),
        escrow_cert: args.nonempty("--escrowcert"),
        backup_passphrase: args.flag("--backuppassphrase"),
        cipher: args.nonempty("--cipher"),
        luks_version: args.nonempty("--luks-version"),
        pbkdf: args.nonempty("--pbkdf"),
        pbkdf_memory_kib: args.count("--pbkdf-memory").filter(|n| *n > 0),
        pbkdf_time_ms: args.count("--pbkdf-time").filter(|n| *n > 0),
        pbkdf_iterations: args.count("--pbkdf-iterations").filter(|n| *n > 0),
        hw_passphrase: None,
    };
    if args.spec.option("--hw-passphrase").is_none() {
        return encryption;
    }
    check_hw_passphrase(args, &encryption, cx);
    Encryption { hw_passphrase: args.secret("--hw-passphrase").filter(|s| !s.is_empty()), ..encryption }
}

fn check_hw_passphrase(args: &Args, encryption: &Encryption, cx: &mut Cx<'_>) {
    let by_disk = encryption.luks_version.as_deref().is_some_and(|v| v.starts_with(HW));
    if let Some(given) = storage::said(args, "--hw-passphrase")
        && !(encryption.encrypted && by_disk)
    {
        let message = format!("`--hw-passphrase` needs `--encrypted --luks-version={HW}`");
        cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, given.span, message));
    }
}

/// A password as it is written out.
fn shown(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose).filter(|text| !text.is_empty())
}

/// `--encrypted` and the keys.
pub(crate) fn write_keys(e: &Encryption, pen: &mut Pen) {
    if e.encrypted {
        pen.word("--encrypted")
            .quoted("--passphrase", shown(e.passphrase.as_ref()))
            .quoted("--escrowcert", e.escrow_cert.as_ref())
            // Without the certificate there is no holder to give it to.
            .flag("--backuppassphrase", e.backup_passphrase && e.escrow_cert.is_some());
    }
}

/// `--cipher`.
pub(crate) fn write_cipher(e: &Encryption, pen: &mut Pen) {
    pen.quoted("--cipher", e.cipher.as_ref().filter(|_| e.encrypted));
}

/// How the keys are kept.
pub(crate) fn write_luks(e: &Encryption, pen: &mut Pen) {
    if e.encrypted {
        pen.option("--luks-version", e.luks_version.as_ref())
            .option("--pbkdf", e.pbkdf.as_ref())
            .option("--pbkdf-memory", e.pbkdf_memory_kib)
            .option("--pbkdf-time", e.pbkdf_time_ms)
            .option("--pbkdf-iterations", e.pbkdf_iterations);
    }
}

/// `--hw-passphrase`.
pub(crate) fn write_hw_passphrase(e: &Encryption, pen: &mut Pen) {
    pen.quoted("--hw-passphrase", shown(e.hw_passphrase.as_ref()).filter(|_| e.encrypted));
}
