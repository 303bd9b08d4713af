"""The section `%addon org_bootc_ks`: lines of `key = value`, and comments behind `#`.

Everything in it has a default, so the section is only needed by those who want something else.
`bootc-ks install` has a reader of its own (installer-core, request/from_kickstart/addon.rs);
tests/addon-section.json has cases on which both must agree.
"""

import re
from dataclasses import dataclass, field

from org_bootc_ks.i18n import _

ADDON = "org_bootc_ks"

CHECKS = ("require", "warn", "off")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TIMEOUTS = range(5, 3601)
SCRIPT_TIMEOUTS = range(1, 86401)


class SettingsError(ValueError):
    """A line that cannot be used. `line` counts from 1 in the section's body."""

    def __init__(self, text, line=0):
        super().__init__(text)
        self.line = line


@dataclass
class Settings:
    """What the section says."""

    check: str = "require"
    """What a failed check does: stop the installation, be told, or there is none."""
    timeout: int = 60
    """Seconds that a registry may stay silent."""
    digest: str = ""
    """The digest that the image must have."""
    pin: bool = False
    """Whether the image is installed by the digest that was checked."""
    target: str = ""
    """Where the installed system looks for updates."""
    username: str = ""
    password: str = field(default="", repr=False)
    authfile: str = ""
    """An auth.json of the installer's own file system."""
    keep_credentials: bool = False
    """Whether the installed system gets the credentials as well."""
    insecure_registries: list = field(default_factory=list)
    lint: bool = False
    """Whether lints are told as well: they take a kickstart for a whole one."""
    script_timeout: int = 0
    """Seconds that a script may take without Anaconda, which waits for each as long as it runs."""

    @property
    def demanding(self):
        """Whether an image that nothing is known of must not be installed."""
        return self.check == "require" or bool(self.digest) or self.pin

    def render(self):
        """The section, without the password; nothing where all is as by default."""
        lines = [f"{key} = {value}" for key, value in self._lines()]
        if not lines:
            return ""
        return "\n".join([f"%addon {ADDON}", *lines, "%end", ""])

    def _lines(self):
        default = Settings()
        for key, name in NAMES.items():
            value = getattr(self, name)
            if value == getattr(default, name) or name == "password":
                continue
            if isinstance(value, list):
                yield from ((key, each) for each in value)
            elif isinstance(value, bool):
                yield key, "yes" if value else "no"
            else:
                yield key, value


# The key in a kickstart, and its field, in the order in which they are written.
NAMES = {
    "check": "check",
    "timeout": "timeout",
    "digest": "digest",
    "pin": "pin",
    "target": "target",
    "username": "username",
    "password": "password",
    "authfile": "authfile",
    "keep-credentials": "keep_credentials",
    "insecure-registry": "insecure_registries",
    "lint": "lint",
    "script-timeout": "script_timeout",
}


def parse(body):
    """Reads the body of the section. Raises SettingsError at the first line that is wrong."""
    settings = Settings()
    for number, line in enumerate(body.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            _set(settings, line)
        except SettingsError as error:
            raise SettingsError(str(error), number) from None
    if settings.password and not settings.username:
        raise SettingsError(_("there is a password, but no username"))
    if settings.keep_credentials and not (settings.username or settings.authfile):
        raise SettingsError(_("keep-credentials: there are no credentials to keep"))
    return settings


def _set(settings, line):
    key, separator, value = (part.strip() for part in line.partition("="))
    if not separator:
        # Not shown: who forgets the equals sign may have written a password.
        raise SettingsError(_("this line is not of the form `key = value`"))
    if key not in NAMES:
        known = ", ".join(NAMES)
        raise SettingsError(_("unknown key `{key}`; known are {known}").format(key=key, known=known))
    value = _unquoted(value)
    if not value:
        raise SettingsError(_("`{key}` has no value").format(key=key))
    name = NAMES[key]
    if name == "insecure_registries":
        settings.insecure_registries.append(value)
    else:
        setattr(settings, name, READERS.get(name, _text)(key, value))


def _unquoted(value):
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


def _text(_key, value):
    return value


def _check(key, value):
    if value not in CHECKS:
        raise SettingsError(_("`{key}` is one of {values}").format(key=key, values=", ".join(CHECKS)))
    return value


def _timeout(key, value):
    return _seconds(key, value, TIMEOUTS)


def _script_timeout(key, value):
    return _seconds(key, value, SCRIPT_TIMEOUTS)


def _seconds(key, value, allowed):
    if not (value.isascii() and value.isdigit() and int(value) in allowed):
        text = _("`{key}` is a number of seconds between {first} and {last}")
        raise SettingsError(text.format(key=key, first=allowed[0], last=allowed[-1]))
    return int(value)


def _digest(key, value):
    if not DIGEST.fullmatch(value):
        raise SettingsError(_("`{key}` is sha256: and 64 hexadecimal digits").format(key=key))
    return value


def _yes_or_no(key, value):
    if value not in ("yes", "no"):
        raise SettingsError(_("`{key}` is yes or no").format(key=key))
    return value == "yes"


READERS = {
    "check": _check,
    "timeout": _timeout,
    "digest": _digest,
    "pin": _yes_or_no,
    "keep_credentials": _yes_or_no,
    "lint": _yes_or_no,
    "script_timeout": _script_timeout,
}
