"""Installing for real, onto disk images and into file systems: needs root."""

import json
import os
import pathlib
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import bootc_ks
import pytest
from conftest import MIB, SECRET, Registry, left_behind, run

Event = dict[str, Any]
SIZE = 700 * MIB


def onto(tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str, **options: Any) -> bootc_ks.Report:
    """Installs onto a new disk image."""
    return bootc_ks.install(kickstart, image=image, disk_image=tmp_path / "disk.img", size=SIZE, **options)


def test_as_the_command_does(
    tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str, site: pathlib.Path, command: str
) -> None:
    events: list[Event] = []
    log = tmp_path / "install.log"
    report = onto(tmp_path, kickstart, image, on_event=events.append, log=log)

    names = [event["type"] for event in events]
    assert names == [event["event"] for event in events], "the older place of the name has it too"
    assert names[-1] == "finished" and "failed" not in names
    for name in ("started", "step-started", "step-finished", "layer-started", "layer-finished", "progress"):
        assert name in names
    last = [event for event in events if event["type"] == "progress"][-1]
    assert last["done"] == last["total"] > 0
    assert events[names.index("started")]["plan"] == report.plan
    assert report.target == str(tmp_path / "disk.img") and report.end == "nothing"
    assert "site.last=1" in report.kargs and all(seconds >= 0 for _, seconds in report.steps)
    assert "write everything to the disk" in log.read_text()
    assert left_behind(tmp_path) == ["disk.img", "install.log"]

    options = ["--image", image, "--disk-image", tmp_path / "theirs.img", "--size", "700M", "--format", "json"]
    theirs = json.loads(run(command, "install", site / "site.ks", *options, "--log", tmp_path / "theirs.log"))
    assert (report.commit, report.image_digest) == (theirs["commit"], theirs["image"])
    assert [title for title, _ in report.steps] == [
        title.replace("theirs.img", "disk.img") for title, _ in theirs["steps"]
    ]
    for secret in (SECRET, "$6$from$theimage"):
        assert secret not in log.read_text() + report.to_json() + repr(report) + json.dumps(events)


def test_a_file_is_replaced_only_by_word(tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str) -> None:
    (tmp_path / "disk.img").write_text("precious")
    events: list[Event] = []
    with pytest.raises(bootc_ks.RefusedError, match="without consent") as raised:
        onto(tmp_path, kickstart, image, on_event=events.append)
    assert raised.value.hint == "say replace=True to replace the file"
    assert (raised.value.exit_code, raised.value.disk_touched) == (4, False)
    assert events[-1]["type"] == "failed" and events[-1]["kind"] == "refused"
    assert (tmp_path / "disk.img").read_text() == "precious"
    onto(tmp_path, kickstart, image, replace=True)
    assert (tmp_path / "disk.img").stat().st_size == SIZE


def test_only_the_plan_that_was_reviewed(tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str) -> None:
    with pytest.raises(bootc_ks.RefusedError, match="was reviewed"):
        onto(tmp_path, kickstart, image, plan_digest=f"sha256:{'0' * 64}")
    with pytest.raises(bootc_ks.InputError, match="plan_digest"):
        onto(tmp_path, kickstart, image, plan_digest="nonsense")
    assert left_behind(tmp_path) == []
    facts = bootc_ks.inspect(image)
    disk = tmp_path / "disk.img"
    plan = bootc_ks.plan(kickstart, bootc_ks.probe(), facts, image=image, disk_image=disk, size=SIZE)
    assert onto(tmp_path, kickstart, image, plan_digest=plan.digest).plan == plan.digest


class Objection(Exception):
    """What a callback raises."""


@pytest.mark.parametrize("name", ["started", "step-started", "layer-started", "progress", "finished"])
def test_a_callback_that_raises_stops_it(
    tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str, name: str
) -> None:
    seen: list[str] = []

    def object_to(event: Event) -> None:
        seen.append(event["type"])
        # Before the installation there is progress too.
        if event["type"] == name and "started" in seen:
            raise Objection(name)

    with pytest.raises(Objection):
        onto(tmp_path, kickstart, image, on_event=object_to)
    assert seen[-1] == name, "it is asked no more"
    assert left_behind(tmp_path) == (["disk.img"] if name == "finished" else [])


def test_an_objection_comes_before_the_step(tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str) -> None:
    there: list[list[str]] = []

    def object_to(event: Event) -> None:
        if event["type"] == "step-started":
            time.sleep(0.2)
            there.append(left_behind(tmp_path))
            raise Objection

    with pytest.raises(Objection):
        onto(tmp_path, kickstart, image, on_event=object_to)
    assert there == [[]], "the disk image was not even begun"


@pytest.mark.parametrize("name", ["started", "step-started", "layer-started"])
def test_cancelled(tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str, name: str) -> None:
    cancel = bootc_ks.Cancel()
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if event["type"] == name:
            cancel.cancel()

    with pytest.raises(bootc_ks.Cancelled, match="cancelled") as raised:
        onto(tmp_path, kickstart, image, on_event=on_event, cancel=cancel)
    error = raised.value
    touched = name == "layer-started"
    assert (error.kind, error.disk_touched, error.exit_code) == ("cancelled", touched, 1 if touched else 4)
    assert events[-1]["type"] == "failed" and events[-1]["kind"] == "cancelled"
    assert left_behind(tmp_path) == [] and cancel.cancelled
    # What is cancelled stays cancelled; another begins anew.
    with pytest.raises(bootc_ks.Cancelled):
        bootc_ks.inspect(image, cancel=cancel)
    bootc_ks.inspect(image, cancel=bootc_ks.Cancel())


def test_ctrl_c(tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str) -> None:
    def on_event(event: Event) -> None:
        if event["type"] == "step-started":
            os.kill(os.getpid(), signal.SIGINT)

    # What was started in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            onto(tmp_path, kickstart, image, on_event=on_event)
    finally:
        signal.signal(signal.SIGINT, before)
    assert left_behind(tmp_path) == []


def test_one_at_a_time_and_others_may_run(tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str) -> None:
    second: list[Exception] = []
    turns = 0
    done = threading.Event()

    def spin() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0)

    def on_event(event: Event) -> None:
        if event["type"] == "started":
            with pytest.raises(bootc_ks.RefusedError, match="installing already") as raised:
                onto(tmp_path, kickstart, image)
            second.append(raised.value)

    thread = threading.Thread(target=spin)
    thread.start()
    onto(tmp_path, kickstart, image, on_event=on_event)
    done.set()
    thread.join()
    assert len(second) == 1 and turns > 100, f"the lock of the interpreter was held: {turns}"


def test_a_kickstart_that_cannot_be_installed(tmp_path: pathlib.Path, image: str, site: pathlib.Path) -> None:
    def refused(text: str, words: str, **options: Any) -> bootc_ks.InputError:
        with pytest.raises(bootc_ks.InputError, match=words) as raised:
            onto(tmp_path, bootc_ks.parse(text, "a.ks"), **{"image": image, **options})
        assert left_behind(tmp_path) == []
        return raised.value

    assert refused("bogus\n", "cannot be used").diagnostics
    assert refused("rootpw --lock\n", "partitions").hint
    text = (site / "site.ks").read_text()
    made_later = "%include /run/made-by-pre.ks\n%pre\necho text > /run/made-by-pre.ks\n%end\n"
    refused(text + made_later, "is included and was not read")
    with pytest.raises(TypeError):
        bootc_ks.install(text)  # type: ignore[arg-type]
    refused(text, "creating the log", log=tmp_path / "no/such/log")


def test_pre_is_told_of(tmp_path: pathlib.Path, image: str, site: pathlib.Path) -> None:
    events: list[Event] = []
    pre = f"%pre\ntouch {tmp_path}/pre-was-here\n%end\n"
    onto(tmp_path, bootc_ks.parse((site / "site.ks").read_text() + pre), image, on_event=events.append)
    assert {"type": "warning", "event": "warning", "message": "%pre is not run here"} in events
    assert left_behind(tmp_path) == ["disk.img"]


def test_who_asks_is_kept_in_memory(
    tmp_path: pathlib.Path, kickstart: bootc_ks.Kickstart, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    reference = f"{registry.address}/org/mini:1"
    insecure = [registry.address]
    stranger = bootc_ks.Access(insecure_registries=insecure)
    with pytest.raises(bootc_ks.WorldError, match="credentials") as raised:
        bootc_ks.inspect(reference, access=stranger)
    assert (raised.value.stage, raised.value.exit_code) == ("resolve", 3)
    wrong = bootc_ks.Access(username=registry.user, password="wr0ng", insecure_registries=insecure)
    with pytest.raises(bootc_ks.WorldError, match="that were given") as raised:
        bootc_ks.inspect(reference, access=wrong)
    assert "wr0ng" not in f"{raised.value!r}{raised.value}{raised.value.hint}"

    access = bootc_ks.Access(username=registry.user, password=registry.password, insecure_registries=insecure)
    assert registry.password not in f"{access!r}{access}"
    log, events = tmp_path / "install.log", []  # type: ignore[var-annotated]
    onto(tmp_path, kickstart, reference, access=access, log=log, on_event=events.append)
    assert left_behind(tmp_path) == ["disk.img", "install.log"]
    assert registry.password not in log.read_text() + json.dumps(events)
    needle = registry.password.encode()
    with (tmp_path / "disk.img").open("rb") as disk:
        # Sparse; what is there is small.
        while block := disk.read(16 * MIB):
            assert needle not in block
    with pytest.raises(bootc_ks.InputError, match="go together"):
        bootc_ks.Access(username="user")


@pytest.fixture
def silent() -> Iterator[str]:
    """A registry that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_registry_that_hangs(silent: str) -> None:
    quick = bootc_ks.Access(insecure_registries=[silent], read_timeout=0.5, retries=0)
    with pytest.raises(bootc_ks.WorldError, match="does not answer in time"):
        bootc_ks.inspect(f"{silent}/a:1", access=quick)
    cancel = bootc_ks.Cancel()
    threading.Timer(0.3, cancel.cancel).start()
    started = time.monotonic()
    with pytest.raises(bootc_ks.Cancelled):
        bootc_ks.inspect(f"{silent}/a:1", access=bootc_ks.Access(insecure_registries=[silent]), cancel=cancel)
    assert time.monotonic() - started < 10
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(bootc_ks.InputError, match="read_timeout"):
            bootc_ks.Access(read_timeout=seconds)


@pytest.fixture
def mounted(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """An empty ext4, mounted."""
    disk, root = tmp_path / "ext4.img", tmp_path / "mnt"
    root.mkdir()
    run("truncate", "-s", "900M", disk)
    run("mkfs.ext4", "-q", disk)
    run("mount", "-o", "loop", disk, root)
    try:
        yield root
    finally:
        run("umount", root)


def test_into_mounted_file_systems(
    tmp_path: pathlib.Path, mounted: pathlib.Path, kickstart: bootc_ks.Kickstart, image: str
) -> None:
    steps: list[str] = []

    def on_event(event: Event) -> None:
        if event["type"] == "step-started":
            steps.append(event["title"])

    report = bootc_ks.install_to_filesystem(
        mounted, image, kargs=["a.b=1"], bootloader=False, stateroot="site", on_event=on_event
    )
    assert report.target == str(mounted) and "a.b=1" in report.kargs and steps
    (deployment,) = (mounted / "ostree/deploy/site/deploy").glob("*.0")
    assert deployment.name == f"{report.commit}.0"
    assert onto(tmp_path, kickstart, image).commit == report.commit
    with pytest.raises(bootc_ks.RefusedError, match="is not empty"):
        bootc_ks.install_to_filesystem(mounted, image)
