"""What the add-on knows: what was asked for, what was found, what is going on.

The service's threads and its main loop both look at it, so what belongs together is changed
together, under one lock.
"""

import threading
from dataclasses import dataclass, field, replace
from typing import Optional

from org_bootc_ks import settings as section
from org_bootc_ks import source as sources
from org_bootc_ks.checks import Credentials, Facts

# No image; not looked at yet; being looked at; and how that went.
NONE, IDLE, RUNNING, PASSED, WARNED, FAILED, OFF = "none", "idle", "running", "passed", "warned", "failed", "off"


@dataclass(frozen=True)
class Check:
    """The last look at the image."""

    state: str = NONE
    progress: str = ""
    problems: tuple = ()
    facts: Optional[Facts] = None
    key: tuple = field(default=(), repr=False)
    """What it was about: a result is of use only as long as this is still so."""


class State:
    """The add-on's data. `changed` is called after each change, from any thread, and before that
    `keep`, with what has to outlive this process."""

    def __init__(self, changed=lambda: None, keep=lambda *_kept: None):
        self._lock = threading.RLock()
        self._tell = changed
        self._keep = keep
        self._kept = None
        self.lost = ""
        """Why it is not known what was asked for; then nothing may be installed."""
        self.source = sources.Source()
        self.settings = section.Settings()
        self.credentials = Credentials()
        self.check = Check()

    def _changed(self):
        with self._lock:
            kept = (self.source, self.settings, self.credentials, self.check.facts)
            if kept != self._kept:
                self._kept = kept
                self._keep(*kept)
        self._tell()

    def take_up(self, source, settings, credentials, facts):
        """Goes on where another process was."""
        with self._lock:
            self.source, self.settings, self.credentials = source, settings, credentials
            self.check = Check(IDLE if source.image else NONE, facts=facts, key=self.key() if facts else ())

    def start_over(self, source, settings):
        """Takes over what a kickstart says."""
        with self._lock:
            self.lost = ""
            self.settings = settings
            self.credentials = Credentials(settings.username, settings.password, settings.authfile)
            self.set_source(source)

    def set_source(self, source):
        """Another image, or the same; what was found of another is forgotten."""
        with self._lock:
            self.source = source
            if not source.image:
                self.check = Check(NONE)
            elif self.check.key != self.key():
                self.check = Check(IDLE)
        self._changed()

    def set_target(self, target):
        """Where updates come from; the image itself stays as it is."""
        target = sources.normal(target.strip())
        with self._lock:
            self.settings = replace(self.settings, target=target)
            self.source = replace(self.source, target="" if target == self.source.image else target)
        self._changed()

    def set_pin(self, pin):
        """Whether to install by digest."""
        with self._lock:
            self.settings = replace(self.settings, pin=pin)
        self._changed()

    def set_credentials(self, username, password):
        """For the registry; without a name, the files of the installer are searched."""
        with self._lock:
            self.credentials = Credentials(username, password if username else "", self.settings.authfile)
            self.settings = replace(self.settings, username=username, password="")
            self.set_source(self.source)

    def key(self):
        """What a check is about."""
        who = self.credentials
        return (self.source.image, who.username, who.password, who.authfile, *self.settings.insecure_registries)

    def asked(self):
        """Source, credentials, settings and key, as of one moment."""
        with self._lock:
            return self.source, self.credentials, self.settings, self.key()

    def set_check(self, key, **changes):
        """Changes the check, unless it is about something else by now."""
        with self._lock:
            if key != self.key() or not self.source.image:
                return False
            self.check = replace(self.check, key=key, **changes)
        self._changed()
        return True

    def facts_for(self, key):
        """What was found of just this, if anything was."""
        with self._lock:
            return self.check.facts if self.check.key == key else None


def outcome(problems):
    """The state that the problems of a finished check make."""
    if any(problem.error for problem in problems):
        return FAILED
    return WARNED if problems else PASSED
