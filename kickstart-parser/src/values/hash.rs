//! Hashes of passwords, as crypt(3) makes them: the scheme, and what has to follow it.
//!
//! A hash of the wrong shape fits no password, and nothing but a login that fails would say so. No
//! message repeats a hash.

use super::finding;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::secret::Secret;
use crate::templates;

pub(super) fn judge(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let root = kickstart.rootpw.iter().map(|r| (r.password.as_ref(), r.is_crypted, "root", r.span));
    let users = kickstart.users.iter().map(|u| (u.password.as_ref(), u.is_crypted, u.name.as_str(), u.span));
    let guests = kickstart.ssh_passwords.iter().filter(|g| !g.is_key);
    let guests = guests.map(|g| (Some(&g.password), g.is_crypted, g.username.as_str(), g.span));
    for (password, is_crypted, whose, span) in root.chain(users).chain(guests) {
        let Some(password) = password.map(Secret::expose).filter(|p| !p.is_empty() && !templates::is_placeholder(p))
        else {
            continue;
        };
        found.extend(match (is_crypted, shape(password)) {
            (true, Shape::Lock) => {
                let message = format!("this locks the password of `{whose}`: no password fits it");
                let help = "`--lock` says the same; else make a hash with `openssl passwd -6`";
                Some(finding(&codes::LOCKED_PASSWORD, span, message, help))
            }
            (true, Shape::Impossible(why)) => {
                let message = format!("the hash of the password of `{whose}` cannot be one: {why}");
                let help = "make one with `openssl passwd -6`, or lock the password with `--lock`";
                Some(finding(&codes::NO_HASH, span, message, help))
            }
            (true, Shape::Broken(why)) => {
                let message = format!("the hash of the password of `{whose}` fits no password: {why}");
                let help = "make one with `openssl passwd -6`, and put it into single quotes";
                Some(finding(&codes::BROKEN_HASH, span, message, help))
            }
            (false, Shape::Good) if password.starts_with('$') => {
                let message = format!("the password of `{whose}` is a hash, but is not said to be one");
                Some(finding(&codes::BROKEN_HASH, span, message, "add `--iscrypted`"))
            }
            _ => None,
        });
    }
}

/// What a text is as a hash.
#[derive(PartialEq, Eq, Debug)]
enum Shape {
    Good,
    /// Meant to fit no password.
    Lock,
    /// Of a scheme, but not as long as its hashes are, or with other characters.
    Broken(&'static str),
    /// Nothing that may stand in the file of the passwords, or of no scheme.
    Impossible(&'static str),
}

fn shape(hash: &str) -> Shape {
    if hash.contains(':') {
        return Shape::Impossible("there is a colon in it, which ends it");
    }
    if hash.contains(|c: char| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        return Shape::Impossible("there is a character in it that no hash has");
    }
    if locks(hash) {
        return Shape::Lock;
    }
    let Some(rest) = hash.strip_prefix('$') else {
        return old(hash);
    };
    let Some((scheme, rest)) = rest.split_once('$') else {
        return Shape::Impossible("it is of no scheme");
    };
    match scheme {
        "1" => salted(rest, 8, 22, false),
        "5" => salted(rest, 16, 43, true),
        "6" => salted(rest, 16, 86, true),
        "2a" | "2b" | "2x" | "2y" => blowfish(rest),
        "y" | "gy" => yescrypt(rest),
        "7" => {
            if rest.len() > 55 {
                Shape::Good
            } else {
                CUT
            }
        }
        "sha1" => match rest.rsplit_once('$') {
            Some((_, end)) if end.len() == 28 => Shape::Good,
            _ => CUT,
        },
        _ if scheme == "md5" || scheme.starts_with("md5,") => Shape::Good,
        _ => Shape::Impossible("it is of no scheme"),
    }
}

/// Words that people write where a hash belongs, so that no password fits.
const LOCK_WORDS: &[&str] = &[
    "-",
    "--",
    "closed",
    "denied",
    "deny",
    "disable",
    "disabled",
    "empty",
    "false",
    "impossible",
    "invalid",
    "lk",
    "lock",
    "locked",
    "login-disabled",
    "never",
    "no",
    "nologin",
    "no-login",
    "no_login",
    "nohash",
    "none",
    "nope",
    "nopass",
    "nopassword",
    "no-password",
    "no_password",
    "not-set",
    "notset",
    "null",
    "np",
    "unset",
    "unusable",
    "unused",
    "x",
    "xx",
    "xxx",
    "xxxx",
];

/// Whether a text that is said to be a hash is one of the ways to say that no password fits: what
/// begins with `!` or `*`, as in the file of the passwords, or a word such as `nope` or `locked`.
pub fn locks(hash: &str) -> bool {
    hash.starts_with(['!', '*']) || LOCK_WORDS.contains(&hash.to_ascii_lowercase().as_str())
}

const CUT: Shape = Shape::Broken("it has not the length of its scheme");

fn is_hash(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '.' || c == '/'
}

/// The hashes of before there were schemes have nothing but these characters.
fn old(hash: &str) -> Shape {
    let plain = hash.chars().all(is_hash);
    let extended = hash.len() == 20 && hash.starts_with('_') && hash[1..].chars().all(is_hash);
    if plain && hash.len() == 13 || extended { Shape::Good } else { Shape::Impossible("it is of no scheme") }
}

fn salted(rest: &str, salt: usize, length: usize, rounds: bool) -> Shape {
    let rest = match rest.split_once('$') {
        Some((first, after)) if rounds && first.starts_with("rounds=") => {
            if !first["rounds=".len()..].chars().all(|c| c.is_ascii_digit()) {
                return Shape::Broken("its number of rounds is none");
            }
            after
        }
        _ => rest,
    };
    match rest.split_once('$') {
        Some((salt_, hash)) if salt_.len() <= salt && hash.len() == length && hash.chars().all(is_hash) => Shape::Good,
        Some((salt_, _)) if salt_.len() > salt => Shape::Broken("its salt is too long"),
        Some(_) => CUT,
        None => Shape::Broken("there is no salt in it"),
    }
}

fn blowfish(rest: &str) -> Shape {
    match rest.split_once('$') {
        Some((cost, hash)) if cost.len() == 2 && cost.chars().all(|c| c.is_ascii_digit()) && hash.len() == 53 => {
            Shape::Good
        }
        _ => CUT,
    }
}

fn yescrypt(rest: &str) -> Shape {
    let fields: Vec<&str> = rest.split('$').collect();
    match fields.as_slice() {
        [settings, _, hash] if !settings.is_empty() && hash.len() == 43 && hash.chars().all(is_hash) => Shape::Good,
        _ => CUT,
    }
}

#[cfg(test)]
mod tests {
    use crate::values::testing::{codes, found};

    fn lines(hash: &str, form: &str) -> [String; 3] {
        [
            format!("rootpw {form} '{hash}'\n"),
            format!("user --name=a {form} --password='{hash}'\n"),
            format!("sshpw --username=root {form} '{hash}'\n"),
        ]
    }

    fn check(hash: &str, form: &str, expected: &[&str]) {
        for line in lines(hash, form) {
            assert_eq!(codes(&line), expected, "{line}");
            let said = format!("{:?}", found(&line));
            assert!(!said.contains(hash), "{said}");
        }
    }

    #[test]
    fn schemes_and_shapes() {
        let good = [
            format!("$6$salt${}", "a".repeat(86)),
            format!("$6$rounds=5000$salt$salt{}", "a".repeat(82)).replace("$salt$salt", "$salt$"),
            format!("$5$s$./{}", "Z".repeat(41)),
            format!("$1$s$./{}", "Z".repeat(20)),
            format!("$2b$12${}", "a".repeat(53)),
            format!("$y$j9T$salt${}", "a".repeat(43)),
            "ab./Z0123456789".chars().take(13).collect(),
        ];
        for (n, hash) in good.iter().enumerate() {
            let cut = n == 1;
            check(hash, "--iscrypted", if cut { &["V004"] } else { &[] });
        }
        for hash in [
            "$6$salt$short",
            "$6$x$y",
            "$6$salt",
            "$6$saltsaltsaltsaltsalt$a",
            "$6$rounds=many$salt$a",
            "$2b$12$short",
            "$y$j9T$salt$short",
            "$1$a$b",
        ] {
            check(hash, "--iscrypted", &["V004"]);
        }
        for hash in ["secret", "$6", "$9$a$b", "hush:0:0", "$6$salt$a:b", "$6$sa lt$a", "!:0", "0123456789abcd"] {
            check(hash, "--iscrypted", &["V003"]);
        }
    }

    #[test]
    fn what_locks_a_password_is_said_to() {
        let hash = format!("!$6$salt${}", "a".repeat(86));
        for hash in ["*", "!", "!!", "!locked", "!*", "*LK*", "*NP*", "nope", "locked", "LOCKED", "x", "None", &hash] {
            for line in lines(hash, "--iscrypted") {
                assert_eq!(codes(&line), ["V011"], "{line}");
                let said = format!("{:?}", found(&line)[0].message);
                assert!(said.contains("this locks the password of"), "{said}");
            }
            assert!(codes(&format!("rootpw --plaintext '{hash}'\n")).is_empty(), "{hash}");
        }
    }

    #[test]
    fn a_hash_is_said_to_be_one() {
        let hash = format!("$6$salt$sal{}", "a".repeat(83));
        check(&hash, "--plaintext", &["V004"]);
        check("$6$not$one", "--plaintext", &[]);
        check("${HASH}", "--iscrypted", &[]);
    }
}
