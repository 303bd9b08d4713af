"""Machines, images and plans from documents."""

import json
import pathlib
from typing import Callable

import bootc_ks
import pytest

Load = Callable[[str, str, str], "tuple[bootc_ks.Kickstart, bootc_ks.Machine, bootc_ks.ImageFacts]"]


@pytest.fixture
def load(source: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """A kickstart, a machine and an image of the source tree's recorded ones, by name."""
    tests = source / "tests"
    # Steps that come from a line of the kickstart name it, as it was named.
    monkeypatch.chdir(tests / "kickstarts")

    def loaded(
        kickstart: str, machine: str, image: str
    ) -> "tuple[bootc_ks.Kickstart, bootc_ks.Machine, bootc_ks.ImageFacts]":
        return (
            bootc_ks.parse_file(f"{kickstart}.ks"),
            bootc_ks.Machine.from_json((tests / "machines" / f"{machine}.json").read_text()),
            bootc_ks.ImageFacts.from_json((tests / "images" / f"{image}.json").read_text()),
        )

    return loaded


def test_plans_are_the_commands(source: pathlib.Path, load: Load) -> None:
    recorded = sorted((source / "tests/expected").glob("*.json"))
    assert len(recorded) > 10
    for path in recorded:
        kickstart, machine, image = path.name[: -len(".json")].split(".")
        plan = bootc_ks.plan(*load(kickstart, machine, image))
        expected = json.loads(path.read_text())
        assert json.loads(plan.to_json()) == expected, path.name
        assert plan.digest == expected["digest"]
        assert str(plan) == path.with_suffix(".txt").read_text()


def test_what_a_plan_says(load: Load) -> None:
    plan = bootc_ks.plan(*load("own-partitions", "laptop-windows", "fedora-bootupd"))
    assert plan.target.startswith("/dev/") and plan.image_digest.startswith("sha256:")
    assert any("ntfs" in loss for loss in plan.destroys)
    assert plan.steps[0].startswith("wipe") and plan.steps[-1].startswith("write everything")
    assert plan.digest in repr(plan)


def test_options_go_over_the_kickstart(load: Load, tmp_path: pathlib.Path) -> None:
    kickstart, machine, facts = load("plain", "no-disk", "demo")
    disk = tmp_path / "disk.img"
    plan = bootc_ks.plan(kickstart, machine, facts, disk_image=disk, size=10 << 30, target_image="quay.io/a/b:2")
    assert (plan.target, plan.destroys) == (str(disk), [])
    assert "quay.io/a/b:2" in str(plan)
    disk.touch()
    assert bootc_ks.plan(kickstart, machine, facts, disk_image=str(disk), size=10 << 30).destroys
    with pytest.raises(bootc_ks.InputError, match="go together"):
        bootc_ks.plan(kickstart, machine, facts, disk_image=disk)


def test_refusals_are_exceptions(load: Load) -> None:
    with pytest.raises(bootc_ks.WorldError) as raised:
        bootc_ks.plan(*load("plain", "no-disk", "demo"))
    error = raised.value
    assert (error.kind, error.stage, error.disk_touched, error.exit_code) == ("world", "plan", False, 3)
    assert error.hint and error.hint not in str(error)
    kickstart, machine, facts = load("wrong/press", "vm-virtio", "demo")
    with pytest.raises(bootc_ks.InputError, match="cannot be used: ") as wrong:
        bootc_ks.plan(kickstart, machine, facts)
    assert [str(found) for found in wrong.value.diagnostics] == [str(found) for found in kickstart.diagnostics]
    assert (wrong.value.kind, wrong.value.exit_code) == ("input", 2)


def test_documents_come_back(load: Load) -> None:
    _, machine, facts = load("plain", "laptop-windows", "fedora-bootupd")
    assert bootc_ks.Machine.from_json(machine.to_json()).to_json() == machine.to_json()
    assert bootc_ks.ImageFacts.from_json(facts.to_json()).to_json() == facts.to_json()
    assert (machine.arch, machine.firmware) == ("x86_64", "uefi")
    disk = machine.disks[0]
    assert disk.path == f"/dev/{disk.name}" and disk.size > 10**9 and machine.memory > 10**9
    assert facts.bootloader == "bootupd" and facts.kernel and facts.digest.startswith("sha256:")
    assert facts.size == sum(layer.size for layer in facts.layers) < facts.unpacked_size


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 1}', '{"schema": 99}', "null"])
def test_documents_that_are_none(text: str) -> None:
    for read in (bootc_ks.Machine.from_json, bootc_ks.ImageFacts.from_json):
        with pytest.raises(bootc_ks.InputError):
            read(text)


def test_this_machine() -> None:
    machine = bootc_ks.probe()
    assert machine.firmware in ("bios", "uefi") and machine.memory > 0


def test_errors_have_one_base() -> None:
    kinds = [bootc_ks.InputError, bootc_ks.WorldError, bootc_ks.RefusedError, bootc_ks.FailedError, bootc_ks.Cancelled]
    assert all(issubclass(kind, bootc_ks.Error) for kind in kinds)
    assert bootc_ks.Error.__name__ == "Error" and bootc_ks.Error.__module__ == "bootc_ks"
