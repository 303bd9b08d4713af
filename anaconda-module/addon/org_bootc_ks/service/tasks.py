"""The tasks: look at the image, before the disks are touched; leave a record, at the end.

Anaconda makes both long before it runs them, so they read the state when they run. What stops an
installation is a SourceSetupError: of all versions from RHEL 9 on, Anaconda shows its text, and
no traceback.
"""

import logging

from pyanaconda.modules.common.errors.payload import SourceSetupError
from pyanaconda.modules.common.task import Task

from org_bootc_ks import checks, credentials, native, record
from org_bootc_ks import state as states
from org_bootc_ks.checks import Problem
from org_bootc_ks.i18n import _
from org_bootc_ks.service import deployment, entry, storage

log = logging.getLogger(__name__)


class CheckTask(Task):
    """Looks at the image. Never fails: what is wrong is in the state."""

    def __init__(self, state):
        super().__init__()
        self._state = state

    @property
    def name(self):
        """What the progress screen says."""
        return _("Check the container image")

    def run(self):
        """Leaves the facts and the problems in the state."""
        source, who, settings, key = self._state.asked()
        if not source.image:
            return
        if settings.check == "off" and not (settings.demanding and _module() is None):
            self._state.set_check(key, state=states.OFF)
            return
        facts = self._state.facts_for(key)
        try:
            facts = facts or self._look(source, who, settings, key)
            problems = checks.judge(facts, settings, storage.place(source))
        except checks.Failed as failure:
            problems = [failure.problem]
        except native.Unavailable as error:
            # Nothing is known against the image, nor for it.
            problems = [Problem(settings.demanding, str(error), "", _("The image cannot be checked"))]
        for problem in problems:
            log.warning("%s: %s %s", source.image, problem.text, problem.hint)
        self._state.set_check(key, state=states.outcome(problems), problems=tuple(problems), facts=facts, progress="")

    def _look(self, source, who, settings, key):
        self._state.set_check(key, state=states.RUNNING, problems=(), facts=None, progress="")
        self._tell(key, _("Looking for the image {image}").format(image=source.image))

        def tell(text):
            self._tell(key, text)

        return checks.look(native.load(), source.image, who, settings, tell, self.check_cancel)

    def _tell(self, key, text):
        self._state.set_check(key, progress=text)
        self.report_progress(text)


class ConfigureTask(CheckTask):
    """Runs before any disk is written: a failure here costs nothing."""

    def __init__(self, state, runtime):
        super().__init__(state)
        self._runtime = runtime

    def run(self):
        """Raises SourceSetupError where the image cannot be installed."""
        if self._state.lost:
            raise SourceSetupError(f"{self._state.lost}\n\n" + _("No disk has been changed."))
        super().run()
        source, who, settings, _key = self._state.asked()
        if not source.image:
            return
        problems = self._state.check.problems
        blind = settings.demanding and _module() is None
        if (settings.check == "require" or blind) and any(problem.error for problem in problems):
            raise SourceSetupError(failure(source, problems))
        for problem in problems:
            self.report_progress(problem.text)
        self._hand_over(source, who, settings)

    def _hand_over(self, source, who, settings):
        """Gives what was found necessary to the programs that fetch the image."""
        try:
            entry.put()
            credentials.allow_insecure(settings.insecure_registries)
            text = credentials.text_for(source.image, who)
            if text and not self._runtime.put(text):
                log.warning("/%s is there already and is left as it is.", credentials.RUNTIME)
        except OSError as error:
            raise SourceSetupError(
                _("The installer cannot be prepared for the container image: {error}").format(error=error)
            ) from None


def failure(source, problems):
    """The text of the dialog that ends an installation."""
    lines = [_("The container image {image} cannot be installed.").format(image=source.image), ""]
    for problem in problems:
        if problem.error:
            lines.append(problem.text)
            if problem.hint:
                lines.append(problem.hint)
    lines += ["", _("No disk has been changed.")]
    return "\n".join(lines)


class InstallTask(Task):
    """What is left when the payload is installed."""

    def __init__(self, state, runtime, physroot, sysroot):
        super().__init__()
        self._state = state
        self._runtime = runtime
        self._physroot = physroot
        self._sysroot = sysroot

    @property
    def name(self):
        """What the progress screen says."""
        return _("Record the container image")

    def run(self):
        """Takes the credentials away, verifies the digest, and writes the record."""
        self._runtime.remove()
        entry.take_away()
        source, who, settings, _key = self._state.asked()
        if not source.image:
            return
        facts, problems = self._state.check.facts, list(self._state.check.problems)
        deployed = deployment.newest(self._physroot)
        moved = _moved(facts.digest if facts else settings.digest, deployed)
        if moved:
            log.warning(moved)
            problems.append(Problem(True, moved))
        self._write(source, who, settings, facts, problems)
        if moved and (settings.pin or settings.digest):
            raise SourceSetupError(moved)

    def _write(self, source, who, settings, facts, problems):
        version = getattr(_module(), "__version__", "")
        try:
            record.write(self._sysroot, record.RECORD, record.document(version, source, facts, problems, settings))
            if settings.keep_credentials:
                text = credentials.text_for(source.image, who)
                if text:
                    record.write(self._sysroot, credentials.INSTALLED, text, 0o600)
        except OSError as error:
            # The system is installed; a missing record must not undo that.
            log.error("Nothing is left in the installed system: %s: %s", error.filename, error.strerror)
            if settings.keep_credentials:
                text = _("The credentials cannot be written to the installed system: {error}")
                raise SourceSetupError(text.format(error=error.strerror)) from None


def _module():
    try:
        return native.load()
    except native.Unavailable:
        return None


def _moved(expected, deployed):
    if not expected or not deployed or expected == deployed:
        return ""
    text = _("The image was {checked} when it was checked, and {deployed} when it was installed.")
    return text.format(checked=expected, deployed=deployed)
