"""The service as the user interfaces see it. An error on the bus is a view that says so."""

import logging

from dasbus.error import DBusError
from pyanaconda.modules.common.constants.services import NETWORK
from pyanaconda.modules.common.util import is_module_available

from org_bootc_ks import state as states
from org_bootc_ks import view
from org_bootc_ks.constants import BOOTC_KS
from org_bootc_ks.i18n import _

log = logging.getLogger(__name__)


class Remote:
    """Reads the view, starts checks, and calls `changed` (in the main loop) when there is news."""

    def __init__(self, changed=lambda: None):
        self._changed = changed
        self._proxy = None

    @staticmethod
    def wanted():
        """Whether there is a container image to talk about."""
        if not is_module_available(BOOTC_KS):
            return False
        seen = Remote().view()
        # Who does not answer may have been asked for one.
        return bool(seen.kind) or seen.state == states.FAILED

    def connect(self):
        """Listens to the service, and to the network: what failed without it is tried again."""
        try:
            self._service().PropertiesChanged.connect(self._on_service)
            if is_module_available(NETWORK):
                NETWORK.get_proxy().PropertiesChanged.connect(self._on_network)
        except DBusError as error:
            log.error("No news will come from the bus: %s", error)

    def view(self):
        """What is known now."""
        try:
            return view.from_structure(self._service().View)
        except DBusError as error:
            log.error("The service does not answer: %s", error)
            text = _("The service of bootc-ks does not answer; the image is not checked.")
            return view.View(state=states.FAILED, problems=[(True, text, "", _("The image cannot be checked"))])

    def start(self):
        """Starts a check in the background."""
        try:
            service = self._service()
            BOOTC_KS.get_proxy(service.CheckWithTask()).Start()
        except DBusError as error:
            log.error("The check cannot be started: %s", error)

    def apply(self, image, target, pin):
        """Sends what the user wrote, where it is new. Says whether the image is another one."""
        before = self.view()
        service = self._service()
        try:
            if image and image != before.image:
                service.SetImage(image)
            if target != before.target:
                service.SetTarget(target)
            if pin != before.pin:
                service.SetPin(pin)
        except DBusError as error:
            log.error("The settings cannot be sent: %s", error)
        return bool(image) and image != before.image

    def set_credentials(self, username, password):
        """Sends the credentials."""
        try:
            self._service().SetCredentials(username, password)
        except DBusError as error:
            # Not the error's text: it may quote what was sent.
            log.error("The credentials cannot be sent (%s)", type(error).__name__)

    def _service(self):
        if self._proxy is None:
            self._proxy = BOOTC_KS.get_proxy()
        return self._proxy

    def _on_service(self, _interface, changed, _invalid):
        if "View" in changed:
            self._changed()

    def _on_network(self, _interface, changed, _invalid):
        connected = changed.get("Connected")
        if connected is not None and connected.unpack() and self.view().state == states.FAILED:
            self.start()
