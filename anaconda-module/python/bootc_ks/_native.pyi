"""The installer of bootc-ks as a Python module: the four verbs probe, inspect, plan, install.

Sizes are in bytes and times in seconds unless a name says otherwise. Every function that works
for long releases the GIL, takes ``on_event`` and ``cancel``, and raises :class:`Error`.
"""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, final

Path = str | PathLike[str]
Event = dict[str, Any]
"""One event in its JSON form; ``event["event"]`` is its name: ``started``, ``step-started``,
``step-finished``, ``layer-started``, ``progress`` (``done`` and ``total`` in bytes),
``layer-finished``, ``retry``, ``warning``, ``output``, ``finished``, ``failed``."""
OnEvent = Callable[[Event], object]

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

    def __init__(self) -> None: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

@final
class Diagnostic:
    """Something that is to be said about a kickstart. Lines and columns count from 1."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    help: str | None
    def __str__(self) -> str:
        """``site.ks:3:17: error[E212]: …``"""

@final
class Command:
    """A command line as it was written."""

    name: str
    path: str
    line: int
    text: str
    """The line with stars in place of passwords."""

@final
class Addon:
    """An ``%addon`` section."""

    name: str
    arguments: list[str]
    body: str
    line: int

@final
class User:
    """A user that is to be made. Its password is not shown."""

    name: str
    groups: list[str]
    locked: bool
    has_password: bool

@final
class Kickstart:
    """A kickstart, read and judged."""

    syntax: str
    diagnostics: list[Diagnostic]
    ok: bool
    """Whether it can be used: no diagnostic is an error."""
    image: str | None
    """The image to install: ``ostreecontainer --url`` or ``bootc --source-imgref``."""
    target_image: str | None
    """Where the installed system looks for updates, if somewhere else."""
    stateroot: str | None
    commands: list[Command]
    addons: list[Addon]
    users: list[User]
    def render(self, *, color: bool = False) -> str:
        """The diagnostics for people, with the lines that they point at."""
    def format(self) -> str:
        """The text in its canonical form, comments kept."""
    def shown(self) -> str:
        """The text with stars in place of passwords."""

@final
class Disk:
    """A disk of a machine."""

    name: str
    path: str
    size: int
    model: str | None
    serial: str | None
    removable: bool
    in_use: str | None
    """What keeps it from being installed onto."""

@final
class Machine:
    """A machine as ``bootc-ks probe`` sees it."""

    arch: str
    firmware: Literal["bios", "uefi"]
    memory: int
    disks: list[Disk]
    @staticmethod
    def from_json(text: str) -> Machine: ...
    def to_json(self) -> str: ...

@final
class Layer:
    """A layer of an image; ``size`` is the compressed one."""

    digest: str
    size: int

@final
class ImageFacts:
    """What must be known of an image before it is installed."""

    reference: str
    digest: str
    """Of the manifest for the architecture: what would be installed, whatever the tag becomes."""
    architecture: str
    labels: dict[str, str]
    layers: list[Layer]
    size: int
    """Compressed, to be downloaded."""
    unpacked_size: int
    kernel: str | None
    bootloader: str | None
    """``bootupd`` or ``grub``: what the image brings to install a boot loader with."""
    @staticmethod
    def from_json(text: str) -> ImageFacts: ...
    def to_json(self) -> str: ...

@final
class Plan:
    """What would happen. Deterministic: the same input gives the same plan."""

    digest: str
    target: str
    image: str
    image_digest: str
    destroys: list[str]
    steps: list[str]
    warnings: list[str]
    def __str__(self) -> str:
        """The plan for people."""
    def to_json(self) -> str: ...

@final
class Report:
    """What was done."""

    plan: str
    image_digest: str
    commit: str
    target: str
    kargs: list[str]
    steps: list[tuple[str, float]]
    """Each step's title and its seconds."""
    warnings: list[str]
    end: Literal["nothing", "reboot", "poweroff", "halt"]
    """What the kickstart wants next. The module never does it."""
    def to_json(self) -> str: ...

@final
class Access:
    """How registries are reached. Credentials given here are held in memory alone; without any,
    containers' own auth.json files are searched."""

    def __init__(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        authfile: Path | None = None,
        insecure_registries: Sequence[str] = (),
        connect_timeout: float = 15.0,
        read_timeout: float = 60.0,
        retries: int = 5,
    ) -> None: ...

def parse(
    text: str | bytes, path: Path = "<kickstart>", *, syntax: str | None = None, includes: bool = True
) -> Kickstart:
    """Reads a kickstart. Never raises for what is in it: look at ``diagnostics``.

    ``path`` names it in messages, and is where relative includes are looked for; ``includes``
    says whether they are followed. Raises :class:`InputError` for an unknown ``syntax``.
    """

def parse_file(path: Path, *, syntax: str | None = None, includes: bool = True) -> Kickstart:
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
    on_event: OnEvent | None = None,
    cancel: Cancel | None = None,
) -> ImageFacts:
    """Finds the image, and reads what must be known of it. ``arch`` as ``uname -m`` has it; this machine's by default."""

def plan(
    kickstart: Kickstart,
    machine: Machine,
    facts: ImageFacts,
    *,
    image: str | None = None,
    target_image: str | None = None,
    disk_image: Path | None = None,
    size: int | None = None,
) -> Plan:
    """Decides what would be done; nothing is touched. ``disk_image`` and ``size`` go together."""

def install(
    kickstart: Kickstart,
    *,
    image: str | None = None,
    target_image: str | None = None,
    disk_image: Path | None = None,
    size: int | None = None,
    replace: bool = False,
    plan_digest: str | None = None,
    access: Access | None = None,
    log: Path | None = None,
    on_event: OnEvent | None = None,
    cancel: Cancel | None = None,
) -> Report:
    """Installs. A disk is overwritten only if the kickstart says so (``zerombr``, ``clearpart``) or
    ``replace`` does; a file only if ``replace`` does. ``%pre`` is not run here. If ``on_event``
    raises, the work stops at its next safe place and the exception is raised."""

def install_to_filesystem(
    root: Path,
    image: str,
    *,
    target_image: str | None = None,
    stateroot: str = "default",
    kargs: Sequence[str] = (),
    bootloader: bool = True,
    access: Access | None = None,
    log: Path | None = None,
    on_event: OnEvent | None = None,
    cancel: Cancel | None = None,
) -> Report:
    """Installs into file systems that are mounted at ``root`` already, as ``bootc install
    to-filesystem`` does. What is at ``root`` must be empty but for mount points and lost+found."""
