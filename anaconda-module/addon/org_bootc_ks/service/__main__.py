"""Starts the service; the bus does so by org.fedoraproject.Anaconda.Addons.BootcKs.service."""

from pyanaconda.modules.common import init

init()  # Logging and locale have to be there before the rest is imported.

from org_bootc_ks.service.service import BootcKsService  # noqa: E402

BootcKsService().run()
