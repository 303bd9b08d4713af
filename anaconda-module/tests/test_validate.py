"""bootc_ks.validate beside the real ksvalidator: the same options, the same verdicts."""

import pathlib
import subprocess
import sys

import pytest

FILES = {
    "good.ks": b"text\n",
    "bad.ks": b"text\nbogus\nautopart --type=plian\n",
    "removed.ks": b"install\n",
    "including.ks": b"%include bad.ks\n",
    "lost.ks": b"%include none.ks\ntext\n",
    "latin.ks": b"text\nlang \xe9\n",
    "warned.ks": b"#version=F33\ntext\nmethod\n",
    "section.ks": b"%packages\nvim\n",
    "not-for-us.ks": b"iscsi --ipaddr=192.0.2.1\nautopart --type=btrfs\n",
}

CASES = [
    ["good.ks"],
    ["bad.ks"],
    ["-e", "bad.ks"],
    ["--firsterror", "good.ks", "bad.ks"],
    ["good.ks", "bad.ks"],
    ["bad.ks", "good.ks"],
    ["removed.ks"],
    ["-v", "RHEL7", "removed.ks"],
    ["--version=F44", "removed.ks"],
    ["-v", "rhel9", "good.ks"],
    ["-v", "NONE", "good.ks"],
    ["including.ks"],
    ["-i", "including.ks"],
    ["--followincludes", "lost.ks"],
    ["lost.ks"],
    ["latin.ks"],
    ["section.ks"],
    ["not-for-us.ks"],
    ["missing.ks"],
    ["-l"],
    ["--listversions", "bad.ks"],
    ["-h"],
    ["--bogus"],
    [],
]


@pytest.fixture
def files(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with the files."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def ours(files: pathlib.Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bootc_ks.validate", *arguments]
    return subprocess.run(command, cwd=files, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("arguments", CASES, ids=" ".join)
def test_the_verdict_is_ksvalidators(files: pathlib.Path, arguments: list[str]) -> None:
    theirs = pathlib.Path(sys.executable).with_name("ksvalidator")
    judge = subprocess.run(
        [sys.executable, theirs, *arguments], cwd=files, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    mine = ours(files, *arguments)
    assert (mine.returncode == 0) == (judge.returncode == 0), (
        f"{judge.stdout}{judge.stderr}\n{mine.stdout}{mine.stderr}"
    )
    # Theirs is the number of errors, which comes round to 0 at 256.
    assert mine.returncode in (0, 1, 2) and "Traceback" not in mine.stderr


def test_what_it_says(files: pathlib.Path) -> None:
    said = ours(files, "bad.ks").stdout
    assert "bad.ks:2:1" in said and "did you mean" in said or "there is no command" in said
    assert "error[E212]" in said and "^^^^^" in said
    first = ours(files, "-e", "bad.ks").stdout
    assert "E101" in first and "E212" not in first
    assert ours(files, "good.ks").stdout == "good.ks: good (F44)\n"
    assert ours(files, "latin.ks").stdout.startswith("latin.ks:1:1: error[E000]: line 2 is not UTF-8")
    assert "RHEL10\n" in ours(files, "-l").stdout
    assert ours(files, "not-for-us.ks").returncode == 0, "whether it can be installed is another question"


def test_standard_input(files: pathlib.Path) -> None:
    command = [sys.executable, "-m", "bootc_ks.validate", "-"]
    for name, code in [("good.ks", 0), ("bad.ks", 1), ("latin.ks", 1)]:
        with (files / name).open("rb") as text:
            assert subprocess.run(command, stdin=text, capture_output=True).returncode == code
