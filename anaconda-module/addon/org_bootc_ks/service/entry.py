"""bootc-ks in the place of `bootc`, in the installer, where an image was built with `--payload`.

Anaconda starts `bootc` by its name, and /usr/bin comes first in its PATH. The original is
therefore moved aside, to bootc.real, when an installation begins, and back when it is over.
"""

import logging
import os

log = logging.getLogger(__name__)

# Only there if it was asked for.
PROGRAM = "/usr/libexec/bootc-ks/bootc"
PLACE = "/usr/bin/bootc"
ORIGINAL = "/usr/bin/bootc.real"


def wanted():
    """Whether bootc-ks is to install the image."""
    return os.access(PROGRAM, os.X_OK)


def put():
    """Puts it into its place. Says whether it is there."""
    if not wanted():
        return False
    if _is_ours():
        return True
    if os.path.lexists(PLACE):
        os.rename(PLACE, ORIGINAL)
    os.symlink(PROGRAM, PLACE)
    log.info("%s stands in for bootc; the original is %s.", PROGRAM, ORIGINAL)
    return True


def take_away():
    """Puts the original back."""
    if not _is_ours():
        return
    os.unlink(PLACE)
    if os.path.lexists(ORIGINAL):
        os.rename(ORIGINAL, PLACE)


def _is_ours():
    return os.path.islink(PLACE) and os.readlink(PLACE) == PROGRAM
