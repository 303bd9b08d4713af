"""Anaconda's own summary hub with our spoke on it, and pictures of both.

    hub.py KICKSTART DIRECTORY [STEP…]

Runs inside `run --shell`, on an X display. A step is `wait` (for the check to end), `shot=NAME`,
`enter`, `leave`, `state` (prints what the service has), `key=KEYS` (pressed by xdotool),
`type=TEXT`, `texts` (prints what the spoke shows), or `sleep=SECONDS`. Ends with 0 if every step
worked; what the hub said last is on standard output.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time

os.environ.setdefault("GDK_BACKEND", "x11")
sys.path.append("/usr/share/anaconda/addons")

if os.environ.get("BOOTC_KS_REAL_ANACONDA") != "yes":
    raise SystemExit("hub.py: start it with `run --shell`, in namespaces of its own")
# Read when Anaconda's modules are imported.
with open("/tmp/buildstamp", "w", encoding="utf-8") as stamp:
    stamp.write("[Main]\nProduct=Example OS\nVersion=10\nIsFinal=True\n")
os.environ["PRODBUILDPATH"] = "/tmp/buildstamp"

from pyanaconda.core.startup.dbus_launcher import AnacondaDBusLauncher
from pyanaconda.modules.common.constants.services import BOSS

# Spokes that want services of the system bus, which a container need not have.
HIDDEN = "[User Interface]\nhidden_spokes =\n    KeyboardSpoke\n    NetworkSpoke\n"
SPOKE = "ContainerImageSpoke"
SIZE = (1024, 768)
PATIENCE = 180


def configure():
    """Reads Anaconda's configuration as it does itself, and hides some spokes."""
    from pyanaconda.core.configuration.anaconda import conf

    with open("/etc/anaconda/conf.d/90-hub.conf", "w", encoding="utf-8") as file:
        file.write(HIDDEN)
    conf.set_from_files(["/etc/anaconda/conf.d/"])


def read(kickstart):
    """Hands the kickstart to Boss, which hands it to the add-on."""
    report = BOSS.get_proxy().ReadKickstartFile(kickstart)
    errors = report["error-messages"].unpack()
    if errors:
        raise SystemExit(f"the kickstart is refused: {errors}")


def interface():
    """Anaconda's graphical interface, with the hub as its only screen."""
    from pyanaconda.core.constants import ADDON_PATHS
    from pyanaconda.ui.gui import GraphicalUserInterface
    from pyanaconda.ui.gui.hubs.summary import SummaryHub
    from pyanaconda.ui.lib.addons import collect_addon_ui_paths
    from pykickstart.version import makeVersion

    class HubOnly(GraphicalUserInterface):
        def setup(self, data):
            self.data = data
            self._actions = [SummaryHub]

    user_interface = HubOnly(None, payload(), gui_lock=threading.Lock())
    user_interface.update_paths(collect_addon_ui_paths(ADDON_PATHS, "gui"))
    user_interface.setup(makeVersion())
    # There is no window manager that would maximise it.
    user_interface.mainWindow.set_size_request(*SIZE)
    return user_interface


def payload():
    """What Anaconda's screens ask of a payload of ostree's kind."""
    from pyanaconda.payload.rpmostreepayload import RPMOSTreePayload

    try:
        return RPMOSTreePayload()
    except TypeError:
        return RPMOSTreePayload(None)


class Script:
    """The steps, one after the other, from the main loop."""

    def __init__(self, user_interface, directory, steps):
        self._interface = user_interface
        self._directory = directory
        self._steps = list(steps)
        self._since = time.monotonic()
        self.failed = ""

    def tick(self):
        """Does a step, or waits on; the main loop calls it again as long as it returns True."""
        from gi.repository import Gtk

        try:
            if self._steps and self._step(*self._steps[0].partition("=")[::2]):
                self._steps.pop(0)
                self._since = time.monotonic()
        except Exception as error:
            self.failed = f"{self._steps[0]}: {error!r}"
        if not self.failed and self._steps and time.monotonic() - self._since > PATIENCE:
            self.failed = f"{self._steps[0]}: nothing happened for {PATIENCE} seconds"
        if self.failed or not self._steps:
            Gtk.main_quit()
            return False
        return True

    @property
    def hub(self):
        return self._interface._currentAction

    @property
    def spoke(self):
        return self.hub._spokes[SPOKE]

    def _step(self, name, value):
        return getattr(self, f"_{name}")(value)

    def _wait(self, _value):
        done = not self.spoke._view.busy and self.spoke._view.state != "idle"
        if done:
            print(f"status: {self.spoke.status}; may continue: {self.hub.continuePossible}", flush=True)
        return done

    def _state(self, _value):
        view = self.spoke._remote.view()
        print(f"image: {view.image}; target: {view.target}; pin: {view.pin}; user: {view.username}", flush=True)
        return True

    def _sleep(self, value):
        return time.monotonic() - self._since > float(value)

    def _shot(self, value):
        path = os.path.join(self._directory, value)
        subprocess.run(["import", "-window", "root", path], check=True)
        return True

    def _enter(self, _value):
        self.hub._on_spoke_clicked(self.spoke.selector, None, self.spoke)
        return True

    def _leave(self, _value):
        self.spoke.on_back_clicked(None)
        return True

    def _texts(self, _value):
        print(*_shown(self.spoke.window), sep="\n", flush=True)
        return True

    def _key(self, value):
        subprocess.run(["xdotool", "key", "--clearmodifiers", value], check=True)
        return True

    def _type(self, value):
        subprocess.run(["xdotool", "type", "--delay", "5", value], check=True)
        return True


def _shown(widget):
    """The texts of the labels that can be seen."""
    from gi.repository import Gtk

    if isinstance(widget, Gtk.Label):
        if widget.get_mapped():
            yield widget.get_text()
    elif isinstance(widget, Gtk.Container):
        for child in widget.get_children():
            yield from _shown(child)


def main(kickstart, directory, steps):
    """Starts the modules, shows the hub, takes the steps."""
    configure()
    launcher = AnacondaDBusLauncher()
    launcher.start()
    try:
        read(kickstart)
        from gi.repository import GLib

        user_interface = interface()
        script = Script(user_interface, directory, ["sleep=2", *steps])
        GLib.timeout_add(200, script.tick)
        user_interface.run()
    finally:
        # A module that is gone before it has answered is no failure.
        with contextlib.suppress(Exception):
            launcher.stop()
    if script.failed:
        raise SystemExit(script.failed)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
