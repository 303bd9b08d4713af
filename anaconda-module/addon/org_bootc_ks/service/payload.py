"""The image in Anaconda's own payload: read from it, and written back to it.

Anaconda installs what its payload module says, so a change in our spoke has to arrive there.
The payload's tasks take over the configuration when they are made, which is after the add-ons'
ConfigureWithTasks was called and before it runs.
"""

import logging

from dasbus.error import DBusError
from dasbus.typing import Str, get_native, get_variant
from pyanaconda.modules.common.constants.services import PAYLOADS
from pyanaconda.modules.payloads.constants import SourceType

from org_bootc_ks import source as sources

log = logging.getLogger(__name__)

BOOTC = "BOOTC"
OSTREECONTAINER = "RPM_OSTREE_CONTAINER"


def read():
    """The source of the active payload; None where it is of another kind, or there is none."""
    try:
        proxy = _active()
        if not proxy:
            return None
        return _read(proxy.Type, get_native(proxy.Configuration))
    except (DBusError, AttributeError, TypeError) as error:
        log.warning("The payload's source cannot be read: %s", error)
        return None


def knows(kind):
    """Whether this Anaconda can install a source of `kind`. From 43 on it takes the command `bootc`, and
    has what carries it out from 44.3 on."""
    wanted = BOOTC if kind == "bootc" else OSTREECONTAINER
    return any(each.value == wanted or each.name == wanted for each in SourceType)


def write(source):
    """Makes the active payload install `source`. Says whether it will."""
    try:
        proxy = _active()
        if not proxy:
            return False
        configuration = dict(proxy.Configuration)
        before = get_native(configuration)
        changes = _changes(proxy.Type, source)
        if all(before.get(key) == value for key, value in changes.items()):
            return True
        configuration.update({key: get_variant(Str, value) for key, value in changes.items()})
        _set(proxy, configuration)
        return True
    except (DBusError, AttributeError, TypeError) as error:
        log.warning("The payload's source cannot be changed: %s", error)
        return False


def _active():
    path = PAYLOADS.get_proxy().ActivePayload
    if not path:
        return None
    for source_path in PAYLOADS.get_proxy(path).Sources:
        proxy = PAYLOADS.get_proxy(source_path)
        if proxy.Type in (BOOTC, OSTREECONTAINER):
            return proxy
    return None


def _read(kind, found):
    stateroot = found.get("stateroot", "")
    if kind == BOOTC:
        return sources.from_bootc(found.get("sourceImgRef", ""), found.get("targetImgRef", ""), stateroot)
    return sources.from_ostreecontainer(found.get("url", ""), found.get("transport", ""), stateroot)


def _changes(kind, source):
    if kind == BOOTC:
        return {"sourceImgRef": sources.for_bootc(source.image), "targetImgRef": source.update_reference}
    transport, image = sources.split_transport(source.image)
    return {"url": image, "transport": transport or "registry"}


def _set(proxy, configuration):
    try:
        proxy.Configuration = configuration
    except AttributeError:
        # Before RHEL 10, setters were methods.
        proxy.SetConfiguration(configuration)
