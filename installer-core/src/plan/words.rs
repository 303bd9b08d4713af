//! Words from an image, a kickstart or a caller that become paths and lines: what they may be.
//! Whatever door they came in by, the plan is where all of them pass. Pure.

use crate::error::{Error, Result, Stage};
use crate::image::ImageFacts;
use crate::request::Request;
use crate::units::Stateroot;

/// The stateroot: what is asked for, else what the image asks for, else bootc's name.
pub fn stateroot(request: &Request, facts: &ImageFacts) -> Result<Stateroot> {
    let asked = request.stateroot.as_ref().or(facts.install.stateroot.as_ref());
    let Some(name) = asked else { return Ok(Stateroot::default()) };
    name.parse().map_err(|error| {
        let wrong = format!("the stateroot {name:?}: {error}");
        match request.stateroot {
            Some(_) => Error::input(Stage::Plan, wrong).hint("leave it out, or name one such as 'default'"),
            None => Error::world(Stage::Plan, wrong).hint("correct usr/lib/bootc/install/*.toml in the image"),
        }
    })
}

/// The longest kernel command line of an architecture in OCI's words (`COMMAND_LINE_SIZE`, which
/// counts a NUL).
fn longest(architecture: &str) -> usize {
    match architecture {
        "s390x" => 4095,
        "riscv64" => 1023,
        _ => 2047,
    }
}

/// What libostree adds: `ostree=/ostree/boot.1/STATEROOT/CHECKSUM/0`.
fn ostree_argument(stateroot: &Stateroot) -> usize {
    "ostree=/ostree/boot.1//".len() + stateroot.as_str().len() + 64 + "/0".len()
}

/// Refuses arguments that are no arguments, and a line that the kernel would cut.
pub fn check_kargs(kargs: &[String], stateroot: &Stateroot, facts: &ImageFacts) -> Result<()> {
    if let Some(wrong) = kargs.iter().find(|karg| karg.chars().any(char::is_control)) {
        return Err(Error::world(Stage::Plan, format!("the kernel argument {wrong:?} has a control character in it"))
            .hint("correct it in the image or in what asks for it: each argument is one line of text"));
    }
    // The kernel's own quoting (`next_arg`): what is open goes on over blanks, so that `ostree=` behind it
    // would be no argument any more.
    if kargs.iter().map(|karg| karg.matches('"').count()).sum::<usize>() % 2 == 1 {
        let odd = kargs.iter().find(|karg| karg.matches('"').count() % 2 == 1).map_or("", String::as_str);
        return Err(Error::world(Stage::Plan, format!("a quotation mark is open in the kernel arguments, at '{odd}'"))
            .hint("close it in the image's kargs.d or in what asks for the argument"));
    }
    // Identifiers that are not known yet take 36 characters each.
    let one = |karg: &String| karg.len() + 1 + 36 * karg.matches('{').count();
    let length = kargs.iter().map(one).sum::<usize>() + ostree_argument(stateroot);
    let most = longest(&facts.architecture);
    if length > most {
        let told = format!("the kernel's command line would have about {length} bytes, and {most} are allowed");
        return Err(
            Error::world(Stage::Plan, told).hint("take kernel arguments out of the image or of what asks for them")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ImageFacts {
        serde_json::from_str(include_str!("../../../tests/images/demo.json")).unwrap()
    }

    #[test]
    fn a_stateroot_is_one_plain_name() {
        let of = |name: &str| {
            let mut facts = facts();
            facts.install.stateroot = Some(name.into());
            stateroot(&Request::of_image("oci:/x"), &facts)
        };
        assert_eq!(of("site-1.a_b").unwrap().as_str(), "site-1.a_b");
        for name in ["", ".", "..", "a/b", "../../tmp/x", "a b", "a\nb", "é", "-a\0", &"n".repeat(256)] {
            let error = of(name).unwrap_err();
            assert_eq!(error.kind(), crate::Kind::World, "{name:?}");
        }
        let asked = Request { stateroot: Some("a/b".into()), ..Request::of_image("oci:/x") };
        assert_eq!(stateroot(&asked, &facts()).unwrap_err().kind(), crate::Kind::Input);
        assert_eq!(stateroot(&Request::of_image("oci:/x"), &facts()).unwrap().as_str(), "default");
    }

    #[test]
    fn a_command_line_has_an_end() {
        let root = Stateroot::default();
        let check = |kargs: &[String]| check_kargs(kargs, &root, &facts());
        assert!(check(&["quiet".into(), "a=\"b c\"".into()]).is_ok());
        assert!(check(&["a=\"b".into(), "c\"".into()]).is_ok());
        assert!(check(&["a=\"b".into(), "c".into()]).is_err());
        for wrong in ["a\nb", "a\tb", "a\0", "a\u{7f}", "c\nlinux /x"] {
            assert!(check(&[wrong.into()]).is_err(), "{wrong:?}");
        }
        let room = 2047 - ostree_argument(&root) - 1;
        assert!(check(&["x".repeat(room)]).is_ok() && check(&["x".repeat(room + 1)]).is_err());
        assert!(check(&vec!["a".into(); 1000]).is_err());
    }
}
