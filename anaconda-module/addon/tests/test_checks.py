"""The check with the real module, real layouts and a real registry."""

import time

import bootc_ks
import pytest
import support
from org_bootc_ks import checks, settings
from org_bootc_ks.checks import Credentials, Facts, Place

PASSWORD = "hush-4711-hush"


def look(reference, who=None, body="", told=None):
    told = [] if told is None else told
    asked = settings.parse(body)
    return checks.look(bootc_ks, reference, who or Credentials(), asked, told.append, lambda: False)


def test_the_facts_of_a_layout(layout):
    digest = support.image(layout, "one")
    facts = look(f"oci:{layout}:one")
    assert (facts.digest, facts.kernel, facts.bootloader) == (digest, support.KERNEL, "bootupd")
    assert facts.labels == support.LABELS
    assert len(facts.layers) == 1 and facts.layers[0][1] > 0
    assert checks.judge(facts, settings.Settings(), Place("uefi", "x86_64", 2**30, True)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": {}}, "not a bootable container image"),
        ({"architecture": "s390x"}, "s390x"),
    ],
)
def test_what_makes_an_image_unusable_is_said(layout, change, words):
    support.image(layout, "bad", **change)
    with pytest.raises(checks.Failed) as caught:
        look(f"oci:{layout}:bad")
    assert words in str(caught.value)
    assert caught.value.problem.short


@pytest.mark.parametrize(
    ("missing", "short"),
    [("vmlinuz", "No kernel in the image"), ("bootupctl", "No boot loader in the image")],
)
def test_what_an_image_lacks_is_said(layout, missing, short):
    support.image(layout, "bad", without=(missing,))
    problems = checks.judge(look(f"oci:{layout}:bad"), settings.Settings(), Place("bios", "x86_64"))
    assert [problem.short for problem in problems] == [short]


def test_a_missing_image_and_a_missing_registry():
    for reference in ("oci:/nowhere:x", "127.0.0.1:1/org/os:1", "registry.invalid/org/os:1"):
        with pytest.raises(checks.Failed) as caught:
            look(reference, body="timeout = 5")
        problem = caught.value.problem
        assert problem.error and problem.short
        assert "Traceback" not in problem.text


@pytest.fixture
def registry(tmp_path, layout):
    support.image(layout, "one")
    server = support.Registry(tmp_path / "registry", ("robot", PASSWORD))
    server.push(layout, "one", "org/os:1")
    yield server
    server.stop()


def test_credentials_open_a_registry(registry):
    body = f"insecure-registry = {registry.address}"
    told: list = []
    assert look(f"{registry.address}/org/os:1", Credentials("robot", PASSWORD), body, told).digest
    assert PASSWORD not in "".join(told)


@pytest.mark.parametrize("who", [Credentials(), Credentials("robot", PASSWORD + "x"), Credentials("other", PASSWORD)])
def test_wrong_credentials_do_not(registry, who):
    with pytest.raises(checks.Failed) as caught:
        look(f"{registry.address}/org/os:1", who, f"insecure-registry = {registry.address}")
    problem = caught.value.problem
    assert problem.short == "The registry refuses access"
    assert PASSWORD not in problem.text + problem.hint


def test_a_registry_that_says_nothing_costs_the_time_limit():
    silent = support.Silent()
    started = time.monotonic()
    with pytest.raises(checks.Failed) as caught:
        look(f"{silent.address}/org/os:1", body=f"timeout = 5\ninsecure-registry = {silent.address}")
    assert time.monotonic() - started < 9
    assert silent.address in caught.value.problem.text
    silent.stop()


def test_a_check_can_be_cancelled():
    silent = support.Silent()
    started = time.monotonic()
    with pytest.raises(checks.Failed, match="cancelled"):
        checks.look(
            bootc_ks, f"{silent.address}/org/os:1", Credentials(), settings.parse("timeout = 60"), print, lambda: True
        )
    assert time.monotonic() - started < 2
    silent.stop()


FACTS = Facts(digest="sha256:" + "a" * 64, kernel="6", bootloader="grub", unpacked_size=2**30)


@pytest.mark.parametrize(
    ("place", "boot", "body", "short"),
    [
        (Place(free=2**29), {}, "", "The root file system is too small"),
        (Place(free=2**30 + 1), {}, "", "Little room for updates"),
        (Place("uefi", "x86_64"), {"grub_platforms": ["i386-pc"]}, "", "No boot loader for UEFI"),
        (Place("bios", "x86_64"), {"grub_platforms": ["x86_64-efi"]}, "", "No boot loader for BIOS"),
        (Place(needs_bootupd=True), {}, "", "No bootupd in the image"),
        (Place(), {}, "digest = sha256:" + "b" * 64, "Another digest than asked for"),
    ],
)
def test_what_does_not_suit_this_machine(place, boot, body, short):
    facts = Facts(**{**FACTS.as_dict(), "boot": boot})
    problems = checks.judge(facts, settings.parse(body), place)
    assert [problem.short for problem in problems] == [short]
    assert all(problem.text and problem.hint for problem in problems)


def test_what_is_not_known_is_not_held_against_an_image():
    assert checks.judge(FACTS, settings.Settings(), Place()) == []
    shim = Facts(**{**FACTS.as_dict(), "boot": {"grub_platforms": ["i386-pc"], "shim": ["shimx64.efi"]}})
    assert checks.judge(shim, settings.Settings(), Place("uefi", "x86_64")) == []
