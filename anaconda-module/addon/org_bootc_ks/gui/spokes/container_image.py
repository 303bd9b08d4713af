"""The spoke of the container image in the graphical installer."""

import gi

gi.require_version("Gtk", "3.0")

from gi.repository import Gtk, Pango  # noqa: E402
from pyanaconda.ui.categories.software import SoftwareCategory  # noqa: E402
from pyanaconda.ui.communication import hubQ  # noqa: E402
from pyanaconda.ui.gui.spokes import NormalSpoke  # noqa: E402

from org_bootc_ks import state as states  # noqa: E402
from org_bootc_ks import texts, units  # noqa: E402
from org_bootc_ks.i18n import DOMAIN, _  # noqa: E402
from org_bootc_ks.remote import Remote  # noqa: E402

__all__ = ["ContainerImageSpoke"]

ICONS = {
    states.PASSED: "object-select-symbolic",
    states.WARNED: "dialog-warning-symbolic",
    states.FAILED: "dialog-error-symbolic",
}

# Characters in a line of a table; a digest fits.
WIDTH = 72


class _Title:
    """The title, translated by our own catalogue; Anaconda's does not know it."""

    def __get__(self, _instance, _owner):
        return _("_Container Image")


class ContainerImageSpoke(NormalSpoke):
    """Shows what will be installed, and takes what is missing for it."""

    builderObjects = ["containerImageWindow"]
    mainWidgetName = "containerImageWindow"
    focusWidgetName = "image_entry"
    uiFile = "container_image.glade"
    translationDomain = DOMAIN
    category = SoftwareCategory
    icon = "package-x-generic-symbolic"
    title = _Title()

    @staticmethod
    def get_screen_id():
        """The name of this screen in Anaconda's log and help."""
        return "bootc-ks-container-image"

    @classmethod
    def should_run(cls, environment, data):
        """Only where a container image is installed."""
        return NormalSpoke.should_run(environment, data) and Remote.wanted()

    def __init__(self, *args):
        super().__init__(*args)
        self._remote = Remote(self._on_news)
        self._view = self._remote.view()
        self._password_changed = False
        self._filling = False

    def initialize(self):
        """Starts the first check, so that its outcome is on the hub early."""
        super().initialize()
        self.initialize_start()
        self.builder.get_object("help_label").set_text(_(texts.HELP))
        # What the keyboard reaches is scrolled into sight.
        scroller = self.builder.get_object("scroller")
        self.builder.get_object("content").set_focus_vadjustment(scroller.get_vadjustment())
        self._remote.connect()
        self._remote.start()
        self._view = self._remote.view()
        self.initialize_done()

    # What the hub asks for.

    @property
    def ready(self):
        """Whether it can be entered, and the installation begin."""
        return not self._view.busy

    @property
    def completed(self):
        """Whether nothing stands against the installation."""
        return self._view.acceptable

    @property
    def mandatory(self):
        """An image that cannot be installed holds up the installation."""
        return True

    @property
    def status(self):
        """The line below the title."""
        return texts.status(self._view)

    def refresh(self):
        """Fills in what is known; called each time the spoke is entered."""
        super().refresh()
        self._view = self._remote.view()
        self._filling = True
        self._entry("image").set_text(self._view.image)
        self._entry("target").set_text(self._view.target)
        self._entry("username").set_text(self._view.username)
        self._entry("password").set_text("")
        self._password_changed = False
        self.builder.get_object("pin_check").set_active(self._view.pin)
        self._filling = False
        self._show()

    def apply(self):
        """Sends what was written; a check begins if it may turn out differently now."""
        if self._send():
            self._remote.start()

    def execute(self):
        """There is nothing to be done in the running system."""

    # What the widgets and the bus report.

    def on_check_clicked(self, _button):
        """The button that starts a check."""
        self._send()
        self._remote.start()

    def on_password_changed(self, _entry):
        """Only a password that was typed is sent: the old one cannot be shown."""
        if not self._filling:
            self._password_changed = True

    def _on_news(self):
        was_busy, self._view = self._view.busy, self._remote.view()
        name = self.__class__.__name__
        hubQ.send_message(name, self.status)
        if was_busy != self._view.busy:
            (hubQ.send_not_ready if self._view.busy else hubQ.send_ready)(name)
        if self.window.get_mapped():
            self._show()

    def _send(self):
        image = self._entry("image").get_text().strip()
        target = self._entry("target").get_text().strip()
        another = self._remote.apply(image, target, self.builder.get_object("pin_check").get_active())
        username = self._entry("username").get_text().strip()
        if self._password_changed or username != self._view.username:
            self._remote.set_credentials(username, self._entry("password").get_text())
            self._password_changed = False
            another = True
        return another

    # What is shown.

    def _entry(self, name):
        return self.builder.get_object(f"{name}_entry")

    def _show(self):
        view = self._view
        self.builder.get_object("check_button").set_sensitive(not view.busy)
        self._entry("password").set_placeholder_text(_("A password is set") if view.password_set else "")
        self._entry("target").set_placeholder_text(_("the same reference"))
        self._show_state(view)
        self._fill("facts_grid", texts.facts(view))
        self._fill("labels_grid", texts.labels(view))
        layers = [(units.short_digest(digest), units.size(size)) for digest, size in view.layers]
        self._fill("layers_grid", layers)
        for name in ("labels", "layers"):
            self.builder.get_object(f"{name}_expander").set_visible(bool(getattr(view, name)))

    def _show_state(self, view):
        spinner, icon = self.builder.get_object("spinner"), self.builder.get_object("state_icon")
        spinner.set_visible(view.busy)
        (spinner.start if view.busy else spinner.stop)()
        icon.set_visible(view.state in ICONS)
        icon.set_from_icon_name(ICONS.get(view.state, ""), Gtk.IconSize.BUTTON)
        self.builder.get_object("state_label").set_text(texts.state(view))
        problems = self.builder.get_object("problems_label")
        problems.set_text(texts.problems(view))
        problems.set_visible(bool(view.problems))

    def _fill(self, name, rows):
        grid = self.builder.get_object(name)
        for child in grid.get_children():
            grid.remove(child)
        for number, (key, value) in enumerate(rows):
            head = Gtk.Label(label=key, xalign=0, valign=Gtk.Align.START)
            head.get_style_context().add_class("dim-label")
            # A width of its own: else its height is reckoned for the narrowest column there is.
            width = min(WIDTH, len(value))
            text = Gtk.Label(
                label=value, xalign=0, wrap=True, selectable=True, width_chars=width, max_width_chars=WIDTH
            )
            # The words of a digest have no blanks to be broken at.
            text.set_line_wrap_mode(Pango.WrapMode.WORD_CHAR)
            text.set_can_focus(False)
            for column, label in enumerate((head, text)):
                grid.attach(label, column, number, 1, 1)
                # Each by itself: a grid that is left out of show_all() leaves out its own, too.
                label.show()
        grid.set_visible(bool(rows))
