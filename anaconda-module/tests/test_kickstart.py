"""Reading, judging and rewriting kickstarts."""

import pathlib
import time

import bootc_ks
import pytest
from conftest import SECRET

GOOD = """zerombr
clearpart --all
autopart --type=plain
rootpw --lock
sshkey --username=root "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p"
ostreecontainer --url=quay.io/a/b:1
"""


def test_a_mistake_has_a_place() -> None:
    kickstart = bootc_ks.parse("text\nautopart --type=plian\n", "site.ks")
    assert not kickstart.ok
    found = kickstart.diagnostics[0]
    assert (found.code, found.severity, found.path) == ("E212", "error", "site.ks")
    assert (found.line, found.column, found.end_line, found.end_column) == (2, 17, 2, 22)
    assert str(found) == "site.ks:2:17: error[E212]: there is no layout `plian` in F44"
    assert found.help and "plain" in found.help
    assert "^^^^^" in found.render() and found.render() in kickstart.render()
    assert "\x1b[" in kickstart.render(color=True) and "\x1b[" not in kickstart.render()


def test_what_is_good_is_good() -> None:
    kickstart = bootc_ks.parse(GOOD, pathlib.Path("a.ks"))
    assert (kickstart.ok, kickstart.diagnostics, kickstart.render()) == (True, [], "")
    assert (kickstart.path, kickstart.syntax) == ("a.ks", "F44")
    assert (kickstart.image, kickstart.target_image, kickstart.stateroot) == ("quay.io/a/b:1", None, None)
    assert [(command.name, command.line) for command in kickstart.commands][:2] == [("zerombr", 1), ("clearpart", 2)]
    assert repr(kickstart) == "<Kickstart a.ks: good (F44)>"


def test_the_other_command_for_an_image_is_read_too() -> None:
    text = "bootc --source-imgref=quay.io/a/b --target-imgref=quay.io/a/c --stateroot=s\n"
    kickstart = bootc_ks.parse(text, syntax="F44")
    assert (kickstart.image, kickstart.target_image, kickstart.stateroot) == ("quay.io/a/b", "quay.io/a/c", "s")


def test_sections_and_users() -> None:
    text = (
        "user --name=ann --groups=wheel,x(5)\nuser --name=bob --lock --password=hush\n%addon org_x --a b\nbody\n%end\n"
    )
    kickstart = bootc_ks.parse(text)
    ann, bob = kickstart.users
    assert (ann.name, ann.groups, ann.locked, ann.has_password) == ("ann", ["wheel", "x(5)"], False, False)
    assert (bob.locked, bob.has_password) == (True, True)
    (addon,) = kickstart.addons
    assert (addon.name, addon.arguments, addon.body, addon.line) == ("org_x", ["--a", "b"], "body\n", 3)


@pytest.mark.parametrize("text", [b"text\nlang \xe9\n", "text\nlang \udce9\n", b"\xff\xfet\0e\0x\0t\0"])
def test_bytes_that_are_no_text_are_a_finding(text: "str | bytes") -> None:
    kickstart = bootc_ks.parse(text)
    assert not kickstart.ok
    (found,) = [found for found in kickstart.diagnostics if found.code == "E000"]
    assert "UTF-" in found.message
    if b"\xff" not in (text if isinstance(text, bytes) else b""):
        assert (found.line, found.column) == (2, 6)


def test_good_bytes_are_text() -> None:
    assert bootc_ks.parse(GOOD.encode()).ok
    with pytest.raises(TypeError):
        bootc_ks.parse(7)  # type: ignore[arg-type]


def test_files(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.ks").write_bytes(b"text\nlang \xe9\n")
    for path, words in [("a.ks", "line 2 is not UTF-8"), ("none.ks", "no such file"), ("", "is a directory")]:
        with pytest.raises(bootc_ks.InputError, match=words) as raised:
            bootc_ks.parse_file(tmp_path / path)
        (found,) = raised.value.diagnostics
        assert found.code == "E000" and str(tmp_path) in found.path
        assert found.render() == f"{found}\n"


def test_includes_are_followed_where_that_is_wanted(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.ks").write_text("%include b.ks\n%include http://127.0.0.1:1/c.ks\n")
    (tmp_path / "b.ks").write_text("\nbogus\n")
    kickstart = bootc_ks.parse_file(tmp_path / "a.ks")
    errors = [found for found in kickstart.diagnostics if found.severity == "error"]
    places = {(found.code, pathlib.Path(found.path).name, found.line) for found in errors}
    assert places == {("E101", "b.ks", 2), ("E007", "a.ks", 2)}
    kickstart = bootc_ks.parse((tmp_path / "a.ks").read_text(), tmp_path / "a.ks", includes=False)
    assert kickstart.ok


def test_versions() -> None:
    assert {"RHEL9", "RHEL10", "F44", "DEVEL"} <= set(bootc_ks.syntaxes())
    assert bootc_ks.parse("text\n", syntax="rhel9").syntax == "RHEL9"
    assert bootc_ks.parse("#version=RHEL10\n").syntax == "RHEL10"
    with pytest.raises(bootc_ks.InputError, match="F99"):
        bootc_ks.parse("text\n", syntax="F99")


def test_canonical_form() -> None:
    assert bootc_ks.format("lang   'cs_CZ' # all\r\n") == "lang cs_CZ # all\n"
    kickstart = bootc_ks.parse("lang   'cs_CZ'\n")
    assert kickstart.format() == "lang cs_CZ\n"
    with pytest.raises(bootc_ks.InputError):
        bootc_ks.format("#!/bin/bash\nset -e\nif true; then\n  echo hello\nfi\nls -l\n")


def test_passwords_are_not_shown() -> None:
    text = f"rootpw --plaintext {SECRET}\nuser --name=a --password={SECRET} --bogus\n"
    kickstart = bootc_ks.parse(text)
    shown = [kickstart, kickstart.shown(), kickstart.render(), *kickstart.users, *kickstart.commands]
    shown += [command.text for command in kickstart.commands]
    shown += kickstart.diagnostics
    for thing in shown:
        assert SECRET not in f"{thing}{thing!r}"
    assert len(kickstart.shown()) == len(text)


def test_nothing_can_be_changed() -> None:
    kickstart = bootc_ks.parse(GOOD)
    with pytest.raises(AttributeError):
        kickstart.ok = True  # type: ignore[misc]
    kickstart.commands.clear()
    assert kickstart.commands


def test_a_thousand_kickstarts_take_no_time() -> None:
    started = time.monotonic()
    for number in range(1000):
        assert bootc_ks.parse(GOOD, f"{number}.ks").ok
    assert time.monotonic() - started < 5, "an unoptimised build takes a tenth of that"
