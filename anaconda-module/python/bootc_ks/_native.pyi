"""The installer of bootc-ks as a Python module: the four verbs probe, inspect, plan, install.

Sizes are in bytes and times in seconds unless a name says otherwise. Every function that works
for long releases the GIL, takes ``on_event`` and ``cancel``, and raises :class:`Error`.
"""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, Self, final

_Path = str | PathLike[str]
_Event = dict[str, Any]
"""One event in its JSON form; ``event["type"]`` is its name: ``looking``, ``layer-read``,
``started``, ``step-started``, ``step-finished``, ``layer-started``, ``progress`` (``done`` and
``total`` in bytes), ``layer-finished``, ``retry``, ``warning``, ``output``, ``finished``,
``failed``. ``event["event"]``, its older place, has the same name. Later versions may add types:
pass over those you do not know."""
_OnEvent = Callable[[_Event], object]

__all__ = [
    "Access",
    "Addon",
    "Cancel",
    "Cancelled",
    "Command",
    "Diagnostic",
    "Disk",
    "Error",
    "FailedError",
    "ImageFacts",
    "InputError",
    "Kickstart",
    "Layer",
    "Machine",
    "Plan",
    "RefusedError",
    "Report",
    "User",
    "WorldError",
    "__version__",
    "_set_libexec",
    "format",
    "inspect",
    "install",
    "install_to_filesystem",
    "parse",
    "parse_file",
    "plan",
    "probe",
    "syntaxes",
]

def _set_libexec(directory: _Path) -> None:
    """Says where the package has ``bootc-ks-ostree``."""

__version__: str

class Error(Exception):
    """Base of all that this module raises. ``str(error)`` is one sentence, without a hint."""

    kind: Literal["input", "world", "refused", "failed", "cancelled"]
    stage: str
    """Which part was under way: ``request``, ``probe``, ``resolve``, ``plan``, ``storage`` …"""
    hint: str | None
    disk_touched: bool
    exit_code: int

class InputError(Error):
    """What was asked for is wrong."""

    diagnostics: list[Diagnostic]
    """What is wrong with the kickstart, where it is one."""

class WorldError(Error):
    """Something is missing: network, registry, image, tool, disk, memory."""

class RefusedError(Error):
    """A safety rule forbids it."""

class FailedError(Error):
    """It should have worked and did not."""

class Cancelled(Error):
    """:meth:`Cancel.cancel` was called."""

@final
class Cancel:
    """Stops work that another thread does with it, at its next safe place."""

    def __new__(cls) -> Self: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

@final
class Diagnostic:
    """Something that is to be said about a kickstart. Lines and columns count from 1."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> Literal["error", "warning", "info"]: ...
    @property
    def message(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end_line(self) -> int: ...
    @property
    def end_column(self) -> int: ...
    @property
    def help(self) -> str | None: ...
    def render(self, *, color: bool = False) -> str:
        """The finding for people, with the lines that it points at."""
    def __str__(self) -> str:
        """``site.ks:3:17: error[E212]: …``"""

@final
class Command:
    """A command line as it was written."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def text(self) -> str:
        """The line with stars in place of passwords."""

@final
class Addon:
    """An ``%addon`` section."""

    @property
    def name(self) -> str: ...
    @property
    def arguments(self) -> list[str]: ...
    @property
    def body(self) -> str: ...
    @property
    def line(self) -> int: ...

@final
class User:
    """A user that is to be made. Its password is not shown."""

    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> list[str]: ...
    @property
    def locked(self) -> bool: ...
    @property
    def has_password(self) -> bool: ...

@final
class Kickstart:
    """A kickstart, read and judged."""

    @property
    def path(self) -> str:
        """What messages call it."""
    @property
    def syntax(self) -> str: ...
    @property
    def diagnostics(self) -> list[Diagnostic]: ...
    @property
    def ok(self) -> bool:
        """Whether it can be used: no diagnostic is an error."""
    @property
    def image(self) -> str | None:
        """The image to install: ``ostreecontainer --url`` or ``bootc --source-imgref``."""
    @property
    def target_image(self) -> str | None:
        """Where the installed system looks for updates, if somewhere else."""
    @property
    def stateroot(self) -> str | None: ...
    @property
    def commands(self) -> list[Command]: ...
    @property
    def addons(self) -> list[Addon]: ...
    @property
    def users(self) -> list[User]: ...
    def render(self, *, color: bool = False) -> str:
        """The diagnostics for people, with the lines that they point at."""
    def format(self) -> str:
        """The text in its canonical form, comments kept."""
    def shown(self) -> str:
        """The text with stars in place of passwords."""

@final
class Disk:
    """A disk of a machine."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def model(self) -> str | None: ...
    @property
    def serial(self) -> str | None: ...
    @property
    def removable(self) -> bool: ...
    @property
    def in_use(self) -> str | None:
        """What keeps it from being installed onto."""

@final
class Machine:
    """A machine as ``bootc-ks probe`` sees it."""

    @property
    def arch(self) -> str: ...
    @property
    def firmware(self) -> Literal["bios", "uefi"]: ...
    @property
    def memory(self) -> int: ...
    @property
    def disks(self) -> list[Disk]: ...
    @staticmethod
    def from_json(text: str) -> Machine: ...
    def to_json(self) -> str: ...

@final
class Layer:
    """A layer of an image; ``size`` is the compressed one."""

    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> int: ...

@final
class ImageFacts:
    """What must be known of an image before it is installed."""

    @property
    def reference(self) -> str: ...
    @property
    def digest(self) -> str:
        """Of the manifest for the architecture: what would be installed, whatever the tag becomes."""
    @property
    def architecture(self) -> str: ...
    @property
    def labels(self) -> dict[str, str]: ...
    @property
    def layers(self) -> list[Layer]: ...
    @property
    def size(self) -> int:
        """Compressed, to be downloaded."""
    @property
    def unpacked_size(self) -> int: ...
    @property
    def kernel(self) -> str | None: ...
    @property
    def bootloader(self) -> str | None:
        """``bootupd`` or ``grub``: what the image brings to install a boot loader with."""
    @staticmethod
    def from_json(text: str) -> ImageFacts: ...
    def to_json(self) -> str: ...

@final
class Plan:
    """What would happen. Deterministic: the same input gives the same plan."""

    @property
    def digest(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def image(self) -> str: ...
    @property
    def image_digest(self) -> str: ...
    @property
    def destroys(self) -> list[str]: ...
    @property
    def steps(self) -> list[str]: ...
    @property
    def warnings(self) -> list[str]: ...
    def __str__(self) -> str:
        """The plan for people."""
    def to_json(self) -> str: ...

@final
class Report:
    """What was done."""

    @property
    def plan(self) -> str: ...
    @property
    def image_digest(self) -> str: ...
    @property
    def commit(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def kargs(self) -> list[str]: ...
    @property
    def steps(self) -> list[tuple[str, float]]:
        """Each step's title and its seconds."""
    @property
    def warnings(self) -> list[str]: ...
    @property
    def end(self) -> Literal["nothing", "reboot", "poweroff", "halt"]:
        """What the kickstart wants next. The module never does it."""
    def to_json(self) -> str: ...

@final
class Access:
    """How registries are reached. Credentials given here are held in memory alone; without any,
    containers' own auth.json files are searched."""

    def __new__(
        cls,
        *,
        username: str | None = None,
        password: str | None = None,
        authfile: _Path | None = None,
        insecure_registries: Sequence[str] | None = None,
        connect_timeout: float = 15.0,
        read_timeout: float = 60.0,
        retries: int = 5,
    ) -> Self: ...

def parse(
    text: str | bytes, path: _Path | None = None, *, syntax: str | None = None, includes: bool = True
) -> Kickstart:
    """Reads a kickstart. Never raises for what is in it: look at ``diagnostics``.

    ``path`` names it in messages (``<kickstart>`` without one), and is where relative includes
    are looked for. ``includes`` says whether they are followed; files alone are, never URLs.
    Raises :class:`InputError` for an unknown ``syntax``.
    """

def parse_file(path: _Path, *, syntax: str | None = None, includes: bool = True) -> Kickstart:
    """Reads the kickstart at ``path``; :class:`InputError` if it cannot be read or is not UTF-8."""

def format(text: str) -> str:
    """A kickstart in its canonical form; :class:`InputError` if it cannot be read as one."""

def syntaxes() -> list[str]:
    """The versions of kickstart that ``syntax`` may name."""

def probe() -> Machine:
    """This machine. Reads only; needs root to see the signatures on disks."""

def inspect(
    image: str,
    *,
    arch: str | None = None,
    access: Access | None = None,
    on_event: _OnEvent | None = None,
    cancel: Cancel | None = None,
) -> ImageFacts:
    """Finds the image, and reads what must be known of it. ``arch`` is as ``uname -m`` has it, and
    this machine's by default. Every layer is read once."""

def plan(
    kickstart: Kickstart,
    machine: Machine,
    facts: ImageFacts,
    *,
    image: str | None = None,
    target_image: str | None = None,
    disk_image: _Path | None = None,
    size: int | None = None,
) -> Plan:
    """Decides what would be done; nothing is touched. ``disk_image`` and ``size`` go together."""

def install(
    kickstart: Kickstart,
    *,
    image: str | None = None,
    target_image: str | None = None,
    disk_image: _Path | None = None,
    size: int | None = None,
    replace: bool = False,
    plan_digest: str | None = None,
    fetch_after_wipe: bool = False,
    access: Access | None = None,
    log: _Path | None = None,
    on_event: _OnEvent | None = None,
    cancel: Cancel | None = None,
) -> Report:
    """Installs. A disk is overwritten only if the kickstart says so (``zerombr``, ``clearpart``) or
    ``replace`` does; a file only if ``replace`` does. ``%pre`` is not run here, and what it would
    make for an ``%include`` must be there when the kickstart is parsed. Needs root.

    A disk that is not empty is not wiped if memory cannot keep the image, unless
    ``fetch_after_wipe`` takes the risk that the registry fails then.

    ``on_event`` is called in the caller's thread. If it raises, the work stops at its next safe
    place and the exception is raised here; raised for ``started`` or ``step-started``, it stops
    the work before that step. One installation at a time runs in a process. ``log`` is a file for
    the log, which is copied into the installed system; there is none by default."""

def install_to_filesystem(
    root: _Path,
    image: str,
    *,
    target_image: str | None = None,
    stateroot: str | None = None,
    kargs: Sequence[str] | None = None,
    bootloader: bool = True,
    access: Access | None = None,
    log: _Path | None = None,
    on_event: _OnEvent | None = None,
    cancel: Cancel | None = None,
) -> Report:
    """Installs into file systems that are mounted at ``root`` already, as ``bootc install
    to-filesystem`` does. What is at ``root`` must be empty but for mount points and lost+found.
    ``stateroot`` is the image's own by default, else ``default``. Needs root."""
