"""How much room the planned file systems will have. Not knowing it is no failure."""

import logging
import os

from dasbus.error import DBusError
from pyanaconda.modules.common.constants.objects import DEVICE_TREE
from pyanaconda.modules.common.constants.services import STORAGE

from org_bootc_ks.checks import Place
from org_bootc_ks.service import entry

log = logging.getLogger(__name__)

# What a module may take to answer, in milliseconds.
PATIENCE = 10_000


def place(source):
    """This machine, as far as an image has to suit it."""
    firmware = "uefi" if os.path.isdir("/sys/firmware/efi") else "bios"
    return Place(firmware=firmware, free=_free(), needs_bootupd=source.kind == "bootc" and not entry.wanted())


def _free():
    try:
        return STORAGE.get_proxy(DEVICE_TREE).GetFileSystemFreeSpace(["/"], timeout=PATIENCE)
    except (DBusError, AttributeError, TypeError, TimeoutError) as error:
        log.info("The room in the planned root file system is not known: %s", error)
        return 0
