"""The service: a kickstart module of Anaconda, and the spokes' opposite number."""

import logging

from pyanaconda.core.async_utils import async_action_nowait
from pyanaconda.core.configuration.anaconda import conf
from pyanaconda.core.dbus import DBus
from pyanaconda.core.kickstart import VERSION
from pyanaconda.core.signal import Signal
from pyanaconda.modules.common.base import KickstartService
from pyanaconda.modules.common.containers import TaskContainer
from pyanaconda.modules.common.structures.kickstart import KickstartMessage, KickstartReport
from pykickstart.version import makeVersion, versionToString

from org_bootc_ks import memory, native, reading, settings, view
from org_bootc_ks import source as sources
from org_bootc_ks.constants import BOOTC_KS
from org_bootc_ks.credentials import Runtime
from org_bootc_ks.i18n import _
from org_bootc_ks.service import payload
from org_bootc_ks.service.interface import BootcKsInterface
from org_bootc_ks.service.tasks import CheckTask, ConfigureTask, InstallTask
from org_bootc_ks.state import State

log = logging.getLogger(__name__)

SECTIONS = ["packages", "pre", "pre-install", "post", "onerror", "traceback"]


class BootcKsService(KickstartService):
    """Sees the whole kickstart; Boss hands one command to every module that names it."""

    def __init__(self):
        super().__init__()
        self.view_changed = Signal()
        self._state = State(self._changed, _keep)
        self._runtime = Runtime()
        self._take_up()

    def publish(self):
        """Publishes the service on the bus."""
        TaskContainer.set_namespace(BOOTC_KS.namespace)
        DBus.publish_object(BOOTC_KS.object_path, BootcKsInterface(self))
        DBus.register_service(BOOTC_KS.service_name)

    def _take_up(self):
        """Goes on with what was asked of a service that is gone."""
        try:
            kept = memory.recall()
        except memory.Lost as error:
            log.error("%s", error)
            self._state.lost = str(error)
            return
        if kept:
            log.warning("The service was started again; it goes on with what was asked for before.")
            self._state.take_up(*kept)
            self.kickstarted = bool(self._state.source.image)

    @async_action_nowait
    def _changed(self):
        self.view_changed.emit()
        self.module_properties_changed.emit()

    # The kickstart.

    @property
    def kickstart_command_names(self):
        """All of them: a finding may be about several lines together."""
        return sorted(makeVersion(VERSION).commands)

    @property
    def kickstart_section_names(self):
        """Those that have a meaning for a finding."""
        return SECTIONS

    @property
    def kickstart_addon_names(self):
        """Our own."""
        return [settings.ADDON]

    def read_kickstart(self, s):
        """Takes over what the kickstart says, and judges it."""
        report = KickstartReport()
        try:
            module = native.load()
            found = reading.read(s, lambda text: _parse(module, text))
        except native.Unavailable as error:
            log.error("%s", error)
            found = reading.unread(s, str(error))
        except Exception:
            # The log has the traceback; Anaconda would show it to the user otherwise.
            log.exception("The kickstart cannot be read.")
            found = reading.unread(s, _("bootc-ks cannot read this kickstart; see the log."))
        if found.source.kind and not payload.knows(found.source.kind):
            text = _("This Anaconda takes the command {kind} and has nothing that carries it out; use ostreecontainer.")
            found.say(True, found.line, text.format(kind=found.source.kind))
        for each in found.messages:
            messages = report.error_messages if each.error else report.warning_messages
            messages.append(_message(each.line, each.text))
        if report.is_valid():
            self._state.start_over(found.source, found.settings)
            self.kickstarted = bool(found.source.image)
        return report

    def generate_kickstart(self):
        """Our section. The command is the payload module's to write."""
        return self._state.settings.render()

    # The tasks.

    def configure_with_tasks(self):
        """Looks at the image before any disk is written."""
        self._agree_with_payload()
        return [ConfigureTask(self._state, self._runtime)]

    def install_with_tasks(self):
        """Leaves the record."""
        return [InstallTask(self._state, self._runtime, conf.target.physical_root, conf.target.system_root)]

    def check_with_task(self):
        """Looks at the image for a spoke."""
        self._follow_payload()
        return CheckTask(self._state)

    def _follow_payload(self):
        # A source may have been chosen without a kickstart, or changed by another module.
        if self._state.source.image:
            return
        found = payload.read()
        if found and found.image:
            self._state.set_source(found)

    def _agree_with_payload(self):
        """The payload installs what was asked for, by digest if that is wanted and known."""
        self._follow_payload()
        source, _who, asked, key = self._state.asked()
        if not source.image:
            return
        facts = self._state.facts_for(key)
        if asked.pin and facts:
            source = source.pinned(facts.digest)
        payload.write(source)

    # For the spokes.

    def view(self):
        """All that a spoke shows."""
        self._follow_payload()
        return view.of(self._state)

    def set_image(self, image):
        """Another image to install."""
        image = sources.normal(image.strip())
        before = self._state.source
        if image == before.image or not before.kind:
            return
        self._state.set_source(sources.Source(before.kind, image, before.target, before.stateroot))
        payload.write(self._state.source)

    def set_target(self, target):
        """Where the installed system looks for updates."""
        self._state.set_target(target)
        if self._state.source.image:
            payload.write(self._state.source)

    def set_pin(self, pin):
        """Whether to install exactly the digest that was checked."""
        self._state.set_pin(pin)

    def set_credentials(self, username, password):
        """For the registry of the image."""
        self._state.set_credentials(username.strip(), password)


def _keep(source, asked, credentials, facts):
    try:
        memory.keep(source, asked, credentials, facts)
    except OSError as error:
        log.error("What was asked for cannot be kept in %s: %s", memory.PATH, error.strerror)


def _parse(module, text):
    syntax = versionToString(VERSION, skipDevel=True)
    if syntax not in module.syntaxes():
        syntax = None
    return module.parse(text, syntax=syntax, includes=False)


def _message(line, text):
    message = KickstartMessage()
    message.line_number = line
    message.message = text
    return message
