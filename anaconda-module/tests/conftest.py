"""What the tests stand on. tests/python.rs of the source tree prepares it and says by the
environment where it is; what is missing fails the tests."""

import os
import pathlib
import subprocess
from dataclasses import dataclass

import bootc_ks
import pytest

SECRET = "correct-horse-battery"
MIB = 1 << 20


@dataclass
class Registry:
    """A registry that wants to know who asks."""

    address: str
    user: str
    password: str


@pytest.fixture(scope="session")
def source() -> pathlib.Path:
    """The top of the source tree."""
    return pathlib.Path(os.environ["BOOTC_KS_SOURCE"])


@pytest.fixture(scope="session")
def site() -> pathlib.Path:
    """A directory with site.ks, which holds SECRET, and its image in oci:oci:mini."""
    return pathlib.Path(os.environ["BOOTC_KS_SITE"])


@pytest.fixture(scope="session")
def image(site: pathlib.Path) -> str:
    """The image of the site."""
    return f"oci:{site}/oci:mini"


@pytest.fixture(scope="session")
def registry() -> Registry:
    """It has the image as org/mini:1."""
    names = ("BOOTC_KS_REGISTRY", "BOOTC_KS_REGISTRY_USER", "BOOTC_KS_REGISTRY_PASSWORD")
    return Registry(*(os.environ[name] for name in names))


@pytest.fixture
def kickstart(site: pathlib.Path) -> bootc_ks.Kickstart:
    """The site's."""
    return bootc_ks.parse_file(site / "site.ks")


@pytest.fixture(scope="session")
def command() -> str:
    """The command."""
    return os.environ["BOOTC_KS_COMMAND"]


def run(*arguments: object) -> str:
    """Runs a program to its good end; what it wrote."""
    words: list[str] = [str(argument) for argument in arguments]
    return subprocess.run(words, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def left_behind(directory: pathlib.Path) -> list[str]:
    """The names in a directory, and the loop devices on its files."""
    devices = [line for line in run("losetup", "--list", "--noheadings").splitlines() if str(directory) in line]
    return sorted(path.name for path in directory.iterdir()) + devices
