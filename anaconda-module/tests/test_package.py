"""The package as a whole."""

import subprocess
import sys

import bootc_ks


def test_everything_has_a_word_of_explanation() -> None:
    for name in bootc_ks.__all__:
        thing = getattr(bootc_ks, name)
        assert name.startswith("__") or (thing.__doc__ and len(thing.__doc__) > 8), name


def test_importing_brings_nothing_along() -> None:
    code = "import sys; before = set(sys.modules); import bootc_ks; print(*sorted(set(sys.modules) - before))"
    brought = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in brought if not name.startswith("bootc_ks")] == []
