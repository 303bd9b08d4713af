//! Kickstarts are templates: rendered for one machine. A
//! variable that is not set is an error with a file and a line, not an empty word.

use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use installer_core::{Error, Result, Stage};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, context};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::identity::Identity;
use super::machines::Selected;

/// The directory of templates.
#[derive(Clone, Debug)]
pub struct Kickstarts {
    dir: PathBuf,
}

impl Kickstarts {
    /// Templates in `dir`.
    pub fn new(dir: PathBuf) -> Self {
        Kickstarts { dir }
    }

    fn environment(&self, name: &str) -> Result<Environment<'static>> {
        let mut environment = Environment::new();
        let mut syntax = SyntaxConfig::builder();
        syntax.keep_trailing_newline(true);
        environment.set_syntax(syntax.build().map_err(|error| tell(name, &error))?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_recursion_limit(64);
        let dir = self.dir.clone();
        environment.set_loader(move |name| load(&dir, name));
        Ok(environment)
    }

    /// Whether there is such a template, and it can be read.
    pub fn check(&self, name: &str) -> Result<()> {
        self.environment(name)?.get_template(name).map(|_| ()).map_err(|error| tell(name, &error))
    }

    /// The kickstart of one machine. Templates know the server's address as `url`.
    pub fn render(&self, machine: &Selected, id: &str, who: &Identity, url: &str) -> Result<String> {
        let name = &machine.profile.kickstart;
        let environment = self.environment(name)?;
        let vars = Value::from(Serde(&machine.profile.vars));
        let facts = context! {
            machine => Serde(Machine { id, name: machine.name.as_deref(), who }),
            vars => vars.clone(),
            url => url,
        };
        // Each variable by its own name too.
        let scope = context! { ..facts, ..vars };
        environment.get_template(name).and_then(|template| template.render(scope)).map_err(|error| tell(name, &error))
    }
}

/// What a template may know of its machine; what is not known is not there.
#[derive(serde::Serialize)]
struct Machine<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(flatten)]
    who: &'a Identity,
}

fn load(dir: &Path, name: &str) -> Result<Option<String>, minijinja::Error> {
    let fail = |message: String| minijinja::Error::new(ErrorKind::InvalidOperation, message);
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        return Err(fail(format!("'{name}' is not below the directory of kickstarts")));
    }
    match read(dir, name) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(format!("reading {name}: {error}"))),
    }
}

/// No template is larger.
const LARGEST: u64 = 16 << 20;

/// The text of `name` below `dir`, on the way to which no link leads elsewhere. The directory itself may
/// be one.
fn read(dir: &Path, name: &str) -> io::Result<String> {
    let root = rustix::fs::open(dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat2(&root, name, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Err(Errno::LOOP) => {
            return Err(io::Error::other("it is a symbolic link, or behind one, which is not followed"));
        }
        other => std::fs::File::from(other?),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut text = String::new();
    if file.take(LARGEST + 1).read_to_string(&mut text)? as u64 > LARGEST {
        return Err(io::Error::other("it is too large"));
    }
    Ok(text)
}

fn tell(kickstart: &str, error: &minijinja::Error) -> Error {
    // The innermost error is the one with the place that needs mending.
    let mut place = error;
    while let Some(inner) = std::error::Error::source(place).and_then(|e| e.downcast_ref::<minijinja::Error>()) {
        place = inner;
    }
    let file = place.name().or_else(|| error.name()).unwrap_or(kickstart);
    let line = place.line().or_else(|| error.line()).map(|line| format!(", line {line}")).unwrap_or_default();
    let message = format!("rendering the kickstart {kickstart}: {file}{line}: {}", place.kind());
    let message = match place.detail() {
        Some(detail) => format!("{message}: {detail}"),
        None => message,
    };
    let hint = match place.kind() {
        ErrorKind::UndefinedError => {
            "set the variable in machines.toml, or give it a default: {{ name | default('x') }}"
        }
        ErrorKind::TemplateNotFound => "machines.toml names files below the directory of kickstarts",
        ErrorKind::SyntaxError => {
            "{{, {% and {# begin what the template language reads; {% raw %}…{% endraw %} leaves a script alone"
        }
        _ => return Error::input(Stage::Request, message),
    };
    Error::input(Stage::Request, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::machines::Machines;

    fn render(files: &[(&str, &str)], machines: &str) -> Result<String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let who = Identity::new(Some("52:54:00:00:00:01"), None, Some("S1"));
        let selected = Machines::parse(machines).unwrap().select(&who).unwrap();
        let kickstarts = Kickstarts::new(dir.path().to_owned());
        kickstarts.check(&selected.profile.kickstart)?;
        kickstarts.render(&selected, "web", &who, "http://10.0.0.1")
    }

    const MACHINES: &str = "[[machine]]\nname='web'\nmac='52:54:00:00:00:01'\nkickstart='a.ks'\nvars={disk='vda'}";

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        for name in ["real.ks", "sub/real.ks"] {
            std::fs::write(dir.path().join(name), "reboot\n").unwrap();
        }
        for (link, to) in [("near.ks", "real.ks"), ("far.ks", "/etc/passwd"), ("away", "sub"), ("none.ks", "none")] {
            std::os::unix::fs::symlink(to, dir.path().join(link)).unwrap();
        }
        for name in ["real.ks", "sub/real.ks"] {
            assert_eq!(load(dir.path(), name).unwrap().as_deref(), Some("reboot\n"));
        }
        for name in ["near.ks", "far.ks", "away/real.ks", "none.ks"] {
            assert!(load(dir.path(), name).unwrap_err().to_string().contains("symbolic link"), "{name}");
        }
        assert!(load(dir.path(), "sub").unwrap_err().to_string().contains("not a file"));
        assert_eq!(load(dir.path(), "missing.ks").unwrap(), None);
    }

    #[test]
    fn variables_and_facts_are_filled_in() {
        let text = "ignoredisk --only-use={{ disk }}\nnetwork --hostname={{ machine.name }}-{{ machine.serial }}\n# {{ url }}\n";
        let made = render(&[("a.ks", text)], MACHINES).unwrap();
        assert_eq!(made, "ignoredisk --only-use=vda\nnetwork --hostname=web-S1\n# http://10.0.0.1\n");
    }

    #[test]
    fn what_is_not_set_is_an_error_with_its_place() {
        let error = render(&[("a.ks", "text\n\nnetwork --hostname={{ nmae }}\n")], MACHINES).unwrap_err();
        assert!(error.to_string().contains("a.ks, line 3: undefined value"), "{error}");
        let inner = [("a.ks", "text\n{% include 'b.ks' %}\n"), ("b.ks", "x\n{{ machine.uuid }}\n")];
        let error = render(&inner, MACHINES).unwrap_err();
        assert!(error.to_string().contains("b.ks, line 2"), "{error}");
        let error = render(&[("a.ks", "text\n%post\necho ${#list[@]}\n%end\n")], MACHINES).unwrap_err();
        assert!(error.remedy().unwrap().to_string().contains("raw"), "{error}");
    }

    #[test]
    fn nothing_outside_is_read() {
        for name in ["../secret", "/etc/passwd"] {
            let error = render(&[("a.ks", &format!("{{% include '{name}' %}}"))], MACHINES).unwrap_err();
            assert!(error.to_string().contains("not below the directory"), "{error}");
        }
        let error = render(&[], MACHINES).unwrap_err();
        assert!(error.remedy().unwrap().to_string().contains("below the directory"), "{error}");
    }
}
