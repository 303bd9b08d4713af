"""The door to the Rust module. That it cannot be loaded is a sentence, not a traceback."""

from org_bootc_ks.i18n import _


class Unavailable(Exception):
    """The module cannot be loaded; the text says why."""


def load():
    """The module bootc_ks."""
    try:
        import bootc_ks  # late: its absence must not keep the service from starting
    except ImportError as error:
        text = _("The module bootc_ks cannot be loaded ({error}); images are not checked.")
        raise Unavailable(text.format(error=error)) from None
    return bootc_ks
