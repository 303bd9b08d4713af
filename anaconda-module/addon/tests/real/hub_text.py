"""Anaconda's own text hub with our spoke on it.

    hub_text.py KICKSTART

Runs inside `run --shell`. What is typed on standard input goes to the hub, a line at a time;
`wait` waits for the end of the check instead. It ends when the lines do.
"""

import contextlib
import os
import sys
import time

sys.path.append("/usr/share/anaconda/addons")

if os.environ.get("BOOTC_KS_REAL_ANACONDA") != "yes":
    raise SystemExit("hub_text.py: start it with `run --shell`, in namespaces of its own")

from pyanaconda.core.startup.dbus_launcher import AnacondaDBusLauncher

# hub.py is the graphical one; it knows how all is set up.
sys.path.append(os.path.dirname(__file__))
import hub


class Lines:
    """Stands for the keyboard: hands out one line for each prompt."""

    def __init__(self, lines):
        self._lines = lines

    def __call__(self, prompt=""):
        print(prompt, end="", flush=True)
        while self._lines and self._lines[0] == "wait":
            self._lines.pop(0)
            _wait_for_check()
        if not self._lines:
            # In a thread of its own: the processes end with the namespace.
            sys.stdout.flush()
            os._exit(0)
        line = self._lines.pop(0)
        print(line)
        return line


def _wait_for_check():
    from org_bootc_ks.remote import Remote

    until = time.monotonic() + hub.PATIENCE
    while Remote().view().busy and time.monotonic() < until:
        time.sleep(0.2)


def main(kickstart):
    """Starts the modules and shows the hub."""
    lines = sys.stdin.read().splitlines()
    hub.configure()
    launcher = AnacondaDBusLauncher()
    launcher.start()
    try:
        hub.read(kickstart)
        _show(lines)
    finally:
        with contextlib.suppress(Exception):
            launcher.stop()


def _show(lines):
    from pyanaconda.core.constants import ADDON_PATHS
    from pyanaconda.ui.lib.addons import collect_addon_ui_paths
    from pyanaconda.ui.tui import TextUserInterface
    from pykickstart.version import makeVersion
    from simpleline.input.input_handler import InputHandlerRequest, PasswordInputHandlerRequest

    class HubOnly(TextUserInterface):
        def _collectActionClasses(self, *_args):
            return []

    keyboard = Lines(lines)
    for request in (InputHandlerRequest, PasswordInputHandlerRequest):
        request.get_input = lambda self: keyboard(self.text_prompt())
    interface = HubOnly(None, hub.payload())
    interface.update_paths(collect_addon_ui_paths(ADDON_PATHS, "tui"))
    interface.setup(makeVersion())
    interface.run()


if __name__ == "__main__":
    main(sys.argv[1])
