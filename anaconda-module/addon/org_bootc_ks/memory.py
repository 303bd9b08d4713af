"""What was asked for, for a service that was killed: the bus starts it again, and it would begin
with nothing, which lets every image pass.

The file is in memory, for root alone: a password may be in it. It is of one run of Anaconda; what
another run of the same session left is not taken up.
"""

import contextlib
import json
import os
from dataclasses import asdict

from org_bootc_ks.checks import Credentials, Facts
from org_bootc_ks.i18n import _
from org_bootc_ks.settings import Settings
from org_bootc_ks.source import Source

PATH = "/run/bootc-ks/anaconda-addon.json"


class Lost(Exception):
    """There is a record, and it cannot be read; the text says why."""


def session():
    """What tells one run of Anaconda from another: each has a bus of its own."""
    return os.environ.get("DBUS_ANACONDA_SESSION_BUS_ADDRESS", "")


def keep(source, settings, credentials, facts, path=PATH):
    """Writes down what holds now, in one go."""
    document = {
        "session": session(),
        "source": asdict(source),
        "settings": asdict(settings),
        "credentials": asdict(credentials),
        "facts": facts.as_dict() if facts else None,
    }
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    scratch = f"{path}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(scratch)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file)
    os.rename(scratch, path)


def recall(path=PATH):
    """Source, settings, credentials and facts as they were last kept in this run; None if they never were."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document["session"] != session():
            return None
        facts = document["facts"]
        return (
            Source(**document["source"]),
            Settings(**document["settings"]),
            Credentials(**document["credentials"]),
            Facts(**facts) if facts else None,
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        # Not the error's text: it may quote what is in the file.
        text = _("The add-on was started again and cannot read what it was asked for ({error}).")
        raise Lost(text.format(error=type(error).__name__)) from None
