"""Names on the bus."""

from dasbus.identifier import DBusServiceIdentifier
from pyanaconda.core.dbus import DBus
from pyanaconda.modules.common.constants.namespaces import ADDONS_NAMESPACE

BOOTC_KS = DBusServiceIdentifier(namespace=(*ADDONS_NAMESPACE, "BootcKs"), message_bus=DBus)
