"""The spoke of the container image in the text installer."""

from pyanaconda.flags import flags
from pyanaconda.ui.categories.software import SoftwareCategory
from pyanaconda.ui.tui.spokes import NormalTUISpoke
from simpleline.render.adv_widgets import GetInputScreen, GetPasswordInputScreen
from simpleline.render.containers import ListRowContainer
from simpleline.render.screen import InputState
from simpleline.render.screen_handler import ScreenHandler
from simpleline.render.widgets import EntryWidget, TextWidget

from org_bootc_ks import texts
from org_bootc_ks.i18n import _
from org_bootc_ks.remote import Remote

__all__ = ["ContainerImageSpoke"]


class ContainerImageSpoke(NormalTUISpoke):
    """What the graphical spoke shows and takes, as a numbered list."""

    category = SoftwareCategory

    @staticmethod
    def get_screen_id():
        """The name of this screen in Anaconda's log and help."""
        return "bootc-ks-container-image"

    @classmethod
    def should_run(cls, environment, data):
        """Only where a container image is installed."""
        return NormalTUISpoke.should_run(environment, data) and Remote.wanted()

    def __init__(self, data, storage, payload):
        super().__init__(data, storage, payload)
        self.title = _("Container Image")
        self._remote = Remote()
        self._container = None
        self._help = False

    def initialize(self):
        """Starts the first check."""
        super().initialize()
        self.initialize_start()
        self._remote.start()
        self.initialize_done()

    # What the hub asks for.

    @property
    def ready(self):
        """An automated installation waits for the check."""
        return not self._remote.view().busy

    @property
    def completed(self):
        """Whether nothing stands against the installation."""
        return self._remote.view().acceptable

    @property
    def mandatory(self):
        """An image that cannot be installed holds up the installation. Where no question can be asked,
        the task that runs before the disks are touched ends it, and says why."""
        return flags.ksprompt

    @property
    def status(self):
        """The line below the title."""
        return texts.status(self._remote.view())

    def apply(self):
        """Everything is sent as soon as it is entered."""

    # The screen.

    def refresh(self, args=None):
        """Draws it anew."""
        super().refresh(args)
        view = self._remote.view()
        self._container = ListRowContainer(1)
        same = _("the same reference")
        rows = [
            (_("Image"), view.image, self._on_image),
            (_("Updates from"), view.target or same, self._on_target),
            (_("User name"), view.username or _("none"), self._on_username),
            (_("Password"), _("A password is set") if view.password_set else _("none"), self._on_password),
            (_("Install exactly the checked digest"), _("yes") if view.pin else _("no"), self._on_pin),
            (_("Check now"), texts.state(view), self._on_check),
            (_("What is checked, and when"), "", self._on_help),
        ]
        for title, value, callback in rows:
            self._container.add(EntryWidget(title=title, value=value), callback)
        self.window.add_with_separator(self._container)
        for line in self._found(view):
            self.window.add(TextWidget(line))

    def _found(self, view):
        if self._help:
            yield _(texts.HELP) + "\n"
        if view.problems:
            yield texts.problems(view) + "\n"
        for name, value in texts.facts(view) + texts.labels(view):
            yield f"{name}: {value}"

    def input(self, args, key):
        """Takes a number; all else is Anaconda's."""
        if self._container is not None and self._container.process_user_input(key):
            return InputState.PROCESSED_AND_REDRAW
        return super().input(args, key)

    # What the rows do.

    def _send(self, **changes):
        view = self._remote.view()
        values = {"image": view.image, "target": view.target, "pin": view.pin, **changes}
        if self._remote.apply(**values):
            self._remote.start()

    def _on_image(self, _data):
        self._send(image=ask(_("Image (such as quay.io/org/os:latest)")).strip())

    def _on_target(self, _data):
        self._send(target=ask(_("Where updates come from (empty: the same reference)")).strip())

    def _on_pin(self, _data):
        self._send(pin=not self._remote.view().pin)

    def _on_username(self, _data):
        self._remote.set_credentials(ask(_("User name (empty: none)")).strip(), "")

    def _on_password(self, _data):
        username = self._remote.view().username
        if username:
            self._remote.set_credentials(username, ask(_("Password"), hidden=True))
            self._remote.start()

    def _on_check(self, _data):
        self._remote.start()

    def _on_help(self, _data):
        self._help = not self._help


def ask(question, hidden=False):
    """What the user answers."""
    screen = (GetPasswordInputScreen if hidden else GetInputScreen)(f"{question}: ")
    ScreenHandler.push_screen_modal(screen)
    return screen.value
