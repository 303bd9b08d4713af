"""What is published on the bus."""

from dasbus.server.interface import dbus_interface
from dasbus.server.property import emits_properties_changed
from dasbus.typing import Bool, ObjPath, Str, Structure
from pyanaconda.modules.common.base import KickstartModuleInterface
from pyanaconda.modules.common.containers import TaskContainer

from org_bootc_ks import view
from org_bootc_ks.constants import BOOTC_KS


@dbus_interface(BOOTC_KS.interface_name)
class BootcKsInterface(KickstartModuleInterface):
    """The add-on's own interface, beside the one of every kickstart module.

    A password goes in and never comes out.
    """

    def connect_signals(self):
        """Tells the bus about changes."""
        super().connect_signals()
        self.watch_property("View", self.implementation.view_changed)

    @property
    def View(self) -> Structure:
        """All that a spoke shows; org_bootc_ks.view reads it."""
        return view.to_structure(self.implementation.view())

    @emits_properties_changed
    def SetImage(self, image: Str):
        """Another image to install."""
        self.implementation.set_image(image)

    @emits_properties_changed
    def SetTarget(self, target: Str):
        """Where the installed system looks for updates; empty for the image's own reference."""
        self.implementation.set_target(target)

    @emits_properties_changed
    def SetPin(self, pin: Bool):
        """Whether to install exactly the digest that was checked."""
        self.implementation.set_pin(pin)

    @emits_properties_changed
    def SetCredentials(self, username: Str, password: Str):
        """For the registry of the image; an empty name takes them away."""
        self.implementation.set_credentials(username, password)

    def CheckWithTask(self) -> ObjPath:
        """A task that looks at the image. It ends well whatever it finds; the view has it."""
        return TaskContainer.to_object_path(self.implementation.check_with_task())
