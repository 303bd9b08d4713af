"""Two groups of tests: those of this directory that stand alone, and those against the real
Anaconda (marked `real`), which run wherever `real/run` starts them."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REAL = os.environ.get("BOOTC_KS_REAL_ANACONDA") == "yes"
# There it is the built image that is tested, here the source tree.
sys.path[:0] = [str(HERE)] if REAL else [str(HERE), str(HERE.parent)]
if REAL:
    sys.path.append("/usr/share/anaconda/addons")

left_out: list = []


def pytest_configure(config):
    """Makes the mark known."""
    config.addinivalue_line("markers", "real: wants Anaconda itself; see real/run")


def pytest_collection_modifyitems(items):
    """Leaves out what cannot run here, and remembers it."""
    for item in items:
        if "real" in item.keywords and not REAL:
            left_out.append(item.name)
            item.add_marker(pytest.mark.skip(reason="Anaconda is not here"))


def pytest_terminal_summary(terminalreporter):
    """What did not run is said, not hidden."""
    if left_out:
        terminalreporter.write_line(
            f"NOT RUN: {len(left_out)} tests against the real Anaconda;"
            " anaconda-module/addon/tests/real/run starts them"
        )


@pytest.fixture
def layout(tmp_path):
    """A directory for an OCI layout."""
    path = tmp_path / "oci"
    path.mkdir()
    return path
