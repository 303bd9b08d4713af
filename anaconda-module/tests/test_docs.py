"""The examples of docs/python.md do what the page says."""

import pathlib
import re
import subprocess
import sys

import pytest
from conftest import left_behind


@pytest.fixture(scope="session")
def examples(source: pathlib.Path) -> list[str]:
    """The Python of the page, in order."""
    return re.findall(r"```python\n(.*?)```", (source / "docs/python.md").read_text(), re.DOTALL)


def run(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_many_are_read(examples: list[str], source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.ks").write_text((source / "tests/kickstarts/demo.ks").read_text())
    assert run(examples[0], tmp_path).returncode == 0
    (tmp_path / "b.ks").write_text("bogus\n")
    outcome = run(examples[0], tmp_path)
    assert outcome.returncode == 1 and "1 kickstarts cannot be used" in outcome.stderr and "E101" in outcome.stdout


def test_an_image_is_installed(examples: list[str], site: pathlib.Path, image: str, tmp_path: pathlib.Path) -> None:
    outcome = run(examples[1], site / "site.ks", image, tmp_path / "disk.img")
    assert outcome.returncode == 0, outcome.stderr
    assert "100 %" in outcome.stdout and f"is on {tmp_path}/disk.img" in outcome.stdout
    assert left_behind(tmp_path) == ["disk.img"]


def test_all_are_python(examples: list[str], tmp_path: pathlib.Path) -> None:
    assert len(examples) == 4
    for number, code in enumerate(examples):
        (tmp_path / f"example{number}.py").write_text(code)
    # What they call is there and takes what they give.
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache", *sorted(tmp_path.glob("*.py"))],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
