"""Everything that can be known of an image before a disk is written.

`look` asks the image, in a thread of its own, so that a registry that never answers costs
none of them longer than the time limit. `judge` is pure: facts in, problems out.
"""

import json
import platform
import queue
import re
import threading
import time
from dataclasses import asdict, dataclass, field

from org_bootc_ks import source as sources
from org_bootc_ks import units
from org_bootc_ks.i18n import N_, _

# Attempts of one request; each may take a part of the time limit.
ATTEMPTS = 3
# Beside the files of the image a system needs room for its first update, logs, and its /var.
ROOM = 1.25
# How often the waiting thread looks up, in seconds.
TICK = 0.1

EFI_PLATFORMS = {"x86_64": "x86_64-efi", "aarch64": "arm64-efi"}


@dataclass
class Problem:
    """Something that is wrong with an image, and what to do about it."""

    error: bool
    text: str
    hint: str = ""
    short: str = ""
    """A few words for a status line."""


@dataclass
class Facts:
    """What was found out about an image; sizes in bytes."""

    reference: str = ""
    digest: str = ""
    architecture: str = ""
    kernel: str = ""
    bootloader: str = ""
    size: int = 0
    unpacked_size: int = 0
    labels: dict = field(default_factory=dict)
    layers: list = field(default_factory=list)
    """Pairs of digest and compressed size."""
    boot: dict = field(default_factory=dict)

    @classmethod
    def of(cls, found):
        """From what bootc_ks.inspect returns."""
        try:
            boot = json.loads(found.to_json()).get("boot", {})
        except ValueError:
            boot = {}
        return cls(
            reference=found.reference,
            digest=found.digest,
            architecture=found.architecture,
            kernel=found.kernel or "",
            bootloader=found.bootloader or "",
            size=found.size,
            unpacked_size=found.unpacked_size,
            labels=dict(found.labels),
            layers=[(layer.digest, layer.size) for layer in found.layers],
            boot=boot if isinstance(boot, dict) else {},
        )

    def as_dict(self):
        """For the install record."""
        return asdict(self)


@dataclass
class Place:
    """Where the image is to go. What is not known is not held against it."""

    firmware: str = ""
    """`uefi` or `bios`."""
    arch: str = field(default_factory=platform.machine)
    free: int = 0
    """Bytes that the planned file systems will have for it; 0 is unknown."""
    needs_bootupd: bool = False
    """Whether what installs the image can use no other boot loader."""


@dataclass
class Credentials:
    """How a registry is satisfied."""

    username: str = ""
    password: str = field(default="", repr=False)
    authfile: str = ""


class Failed(Exception):
    """The image could not be looked at. Carries the problem."""

    def __init__(self, problem):
        super().__init__(problem.text)
        self.problem = problem


def look(module, reference, credentials, settings, report, cancelled):
    """The facts of `reference`. Raises Failed, with words for the user.

    `module` is bootc_ks. `report` gets a sentence now and then; `cancelled` is asked whether to
    stop. The time limit is on silence, since a large image on a slow line is no failure.
    """
    cancel = module.Cancel()
    messages: queue.SimpleQueue = queue.SimpleQueue()
    worker = threading.Thread(
        target=_inspect,
        args=(module, reference, credentials, settings, cancel, messages),
        name="bootc-ks-inspect",
        daemon=True,
    )
    worker.start()
    return _wait(module, reference, settings.timeout, messages, cancel, report, cancelled)


def _inspect(module, reference, credentials, settings, cancel, messages):
    try:
        access = module.Access(
            username=credentials.username or None,
            password=credentials.password or None,
            authfile=credentials.authfile or None,
            insecure_registries=settings.insecure_registries,
            connect_timeout=max(1.0, min(15.0, settings.timeout / ATTEMPTS)),
            read_timeout=max(1.0, settings.timeout / ATTEMPTS),
            retries=ATTEMPTS - 1,
        )
        found = module.inspect(reference, access=access, cancel=cancel, on_event=messages.put)
        messages.put(Facts.of(found))
    except BaseException as error:  # a thread has no other way to report it
        messages.put(error)


def _wait(module, reference, limit, messages, cancel, report, cancelled):
    last = time.monotonic()
    while True:
        if cancelled():
            cancel.cancel()
            raise Failed(Problem(True, _("The check of the image was cancelled."), "", _("Check cancelled")))
        try:
            message = messages.get(timeout=TICK)
        except queue.Empty:
            if time.monotonic() - last > limit:
                cancel.cancel()
                raise Failed(_silent(reference, limit)) from None
            continue
        if isinstance(message, Facts):
            return message
        if isinstance(message, BaseException):
            raise Failed(explained(module, reference, message))
        if _is_life(message):
            last = time.monotonic()
        text = told(message)
        if text:
            report(text)


def _name(event):
    # `type` since every line has one; before it was in `event` alone.
    return event.get("type", event.get("event"))


def _is_life(event):
    # An attempt that failed is no sign of life.
    return _name(event) not in ("retry", "warning")


def told(event):
    """The sentence for an event, or nothing. A key that is missing is no reason to fail."""
    name = _name(event)
    if name == "progress" and event.get("total"):
        done, total = event.get("done", 0), event["total"]
        text = _("Checking the image: {done} of {total} ({percent} %)")
        return text.format(done=units.size(done), total=units.size(total), percent=100 * done // total)
    if name == "retry":
        return _("Checking the image: trying again ({message})").format(message=event.get("message", ""))
    return ""


def _silent(reference, limit):
    where = sources.registry_of(reference) or reference
    return Problem(
        True,
        _("{where} said nothing for {limit} seconds.").format(where=where, limit=limit),
        _("See whether the network and the registry work. `timeout` in %addon org_bootc_ks allows more time."),
        _("No answer from {where}").format(where=where),
    )


# By the error's kind: a few words for the status line.
SHORT = {
    "input": N_("The image cannot be used"),
    "world": N_("The image cannot be reached"),
    "refused": N_("The image is refused"),
    "failed": N_("The check failed"),
    "cancelled": N_("Check cancelled"),
}


def explained(module, reference, error):
    """The problem behind an exception of the module, or behind any other."""
    if not isinstance(error, module.Error):
        # Ours to mend, but no traceback is any user's business: the log has it.
        text = _("The check of {reference} failed: {error}").format(reference=reference, error=error)
        return Problem(True, text, "", _(SHORT["failed"]))
    kind = getattr(error, "kind", "failed")
    text = str(error)
    return Problem(
        True, _sentence(text), _sentence(_in_our_words(getattr(error, "hint", None) or "")), short(kind, text)
    )


# Arguments of the module's functions, and the settings that stand for them here.
ARGUMENTS = {r"authfile=FILE": "`authfile`", r'insecure_registries=\["(.*?)"\]': r"`insecure-registry` = \1"}


def _in_our_words(hint):
    said = hint
    for argument, setting in ARGUMENTS.items():
        said = re.sub(argument, setting, said)
    return _("{hint} (in %addon org_bootc_ks)").format(hint=said) if said != hint else hint


def _sentence(text):
    if not text:
        return ""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def short(kind, text):
    """A few words for the status line."""
    lower = text.lower()
    if "refuses access" in lower or "credentials" in lower or "unauthorized" in lower:
        return _("The registry refuses access")
    return _(SHORT.get(kind, SHORT["failed"]))


def judge(facts, settings, place):
    """What is wrong with the image for this machine, worst first."""
    found = [_digest(facts, settings), _kernel(facts), _boot_loader(facts, place), *_space(facts, place)]
    return sorted((problem for problem in found if problem), key=lambda problem: not problem.error)


def _digest(facts, settings):
    if not settings.digest or settings.digest == facts.digest:
        return None
    return Problem(
        True,
        _("The image has the digest {found}, and not {wanted}.").format(found=facts.digest, wanted=settings.digest),
        _("The tag has been moved, or `digest` in %addon org_bootc_ks is of another image or architecture."),
        _("Another digest than asked for"),
    )


def _kernel(facts):
    if facts.kernel:
        return None
    return Problem(
        True,
        _("The image has no kernel, or more than one (usr/lib/modules/VERSION/vmlinuz)."),
        _("Build it from a bootable base image, and leave one kernel in it."),
        _("No kernel in the image"),
    )


def _boot_loader(facts, place):
    if not facts.bootloader:
        return Problem(
            True,
            _("The image brings nothing to install a boot loader with."),
            _("Add bootupd (and its payload in usr/lib/bootupd/updates) to the image."),
            _("No boot loader in the image"),
        )
    if place.needs_bootupd and facts.bootloader != "bootupd":
        return Problem(
            True,
            _("The image has no bootupd, which `bootc install` needs to install a boot loader."),
            _("Add bootupd to the image, or install it with the bootc-ks payload."),
            _("No bootupd in the image"),
        )
    platforms = facts.boot.get("grub_platforms", [])
    efi = EFI_PLATFORMS.get(place.arch)
    if facts.bootloader == "bootupd" or not platforms or not efi:
        return None
    wanted = efi if place.firmware == "uefi" else "i386-pc"
    if not place.firmware or wanted in platforms or (place.firmware == "uefi" and facts.boot.get("shim")):
        return None
    text = _("This machine starts by {firmware}; the image has GRUB for {platforms} alone.")
    return Problem(
        True,
        text.format(firmware=place.firmware.upper(), platforms=", ".join(platforms)),
        _("Add GRUB's modules for {wanted} to the image, or change the firmware's mode.").format(wanted=wanted),
        _("No boot loader for {firmware}").format(firmware=place.firmware.upper()),
    )


def _space(facts, place):
    if not place.free or not facts.unpacked_size:
        return
    needed, free = units.size(facts.unpacked_size), units.size(place.free)
    if facts.unpacked_size > place.free:
        yield Problem(
            True,
            _("The image needs {needed}; the planned root file system has room for {free}.").format(
                needed=needed, free=free
            ),
            _("Make the root file system larger."),
            _("The root file system is too small"),
        )
    elif facts.unpacked_size * ROOM > place.free:
        yield Problem(
            False,
            _("The image fills {needed} of the {free} of the planned root file system.").format(
                needed=needed, free=free
            ),
            _("There may be no room for an update."),
            _("Little room for updates"),
        )
