"""Translation. The language is looked up at each call: the user may change it at any time."""

import gettext

DOMAIN = "bootc-ks"


def _(text):
    """`text` in the user's language."""
    return gettext.dgettext(DOMAIN, text)


def N_(text):
    """Marks `text` for translation; it is translated where it is shown."""
    return text
