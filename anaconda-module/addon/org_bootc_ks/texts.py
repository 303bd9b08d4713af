"""What both spokes say about a view: a status line, a state, and the problems in full."""

from org_bootc_ks import state as states
from org_bootc_ks import units
from org_bootc_ks.i18n import N_, _
from org_bootc_ks.source import split_transport

# What is worth reading among an image's labels, in this order, before the others.
FIRST_LABELS = (
    "org.opencontainers.image.title",
    "org.opencontainers.image.version",
    "org.opencontainers.image.created",
    "org.opencontainers.image.source",
)

STATES = {
    states.NONE: N_("No container image is installed"),
    states.IDLE: N_("Not checked yet"),
    states.RUNNING: N_("Being checked…"),
    states.PASSED: N_("All checks passed"),
    states.WARNED: N_("Checked, with warnings"),
    states.FAILED: N_("The check failed"),
    states.OFF: N_("Not checked: the kickstart says `check = off`"),
}

HELP = N_(
    "The image is looked at before any disk is written: whether it is there and the registry lets"
    " us in, whether it is for this machine's architecture, whether it brings a kernel and a boot"
    " loader, and whether it fits into the planned root file system.\n\n"
    "A reference may have a tag (quay.io/org/os:latest) or a digest. To check it, the whole image"
    " is downloaded once.\n\n"
    "User name and password are kept in memory. They are written to the installed system only if"
    " the kickstart says so (keep-credentials).\n\n"
    "With “Install exactly the checked digest”, a tag that moves meanwhile changes nothing."
    " Updates come from the update reference, or else from the image's own."
)


def status(view):
    """A few words for the hub's line."""
    if view.state == states.FAILED and view.problems:
        return view.problems[0][3] or _(STATES[states.FAILED])
    if view.state == states.RUNNING:
        return _("Checking the image…")
    if view.state == states.PASSED:
        return _("{image}, checked").format(image=short_image(view.image))
    if view.state == states.WARNED and view.problems:
        return view.problems[0][3] or _(STATES[states.WARNED])
    if view.state == states.IDLE:
        return _("{image}, not checked").format(image=short_image(view.image))
    return state(view)


def state(view):
    """The state of the check in words."""
    if view.busy and view.progress:
        return view.progress
    return _(STATES.get(view.state, STATES[states.IDLE]))


def short_image(image):
    """The last part of a reference: there is little room on a hub."""
    name = image.partition("@")[0]
    transport, rest = split_transport(name)
    last = rest.rpartition("/")[2] or rest
    return f"{transport}:{last}" if transport else last


def problems(view):
    """What is wrong and what to do, a paragraph each."""
    return "\n\n".join(f"{text}\n{hint}" if hint else text for _error, text, hint, _short in view.problems)


def facts(view):
    """Pairs of what was found and its name, for a table."""
    if not view.digest:
        return []
    layers = _("{count} layers, {size} to download, {unpacked} unpacked")
    return [
        (_("Digest"), view.digest),
        (_("Layers"), layers.format(
            count=len(view.layers), size=units.size(view.size), unpacked=units.size(view.unpacked_size))),
        (_("Architecture"), view.architecture),
        (_("Kernel"), view.kernel or _("none")),
        (_("Boot loader"), view.bootloader or _("none")),
    ]  # fmt: skip


def labels(view):
    """The image's labels, the telling ones first."""
    first = [(name, view.labels[name]) for name in FIRST_LABELS if name in view.labels]
    return first + sorted(item for item in view.labels.items() if item[0] not in FIRST_LABELS)
