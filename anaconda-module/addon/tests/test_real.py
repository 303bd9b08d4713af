"""Against the real Anaconda: Boss on a bus of its own finds the service, hands it the kickstart,
and runs its tasks. `real/run` starts these."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import support

pytestmark = pytest.mark.real

HUB = Path(__file__).parent / "real/hub.py"
PASSWORD = "hush-0815-hush"
SERVICE = "org.fedoraproject.Anaconda.Addons.BootcKs"


@pytest.fixture(scope="module")
def boss():
    """Boss, with all modules started."""
    from pyanaconda.core.startup.dbus_launcher import AnacondaDBusLauncher
    from pyanaconda.modules.common.constants.services import BOSS

    launcher = AnacondaDBusLauncher()
    launcher.start()
    yield BOSS.get_proxy()
    try:
        launcher.stop()
    except Exception as error:
        print(f"stopping the modules: {error}")


@pytest.fixture
def service(boss):
    """The add-on's service."""
    from org_bootc_ks.constants import BOOTC_KS

    return BOOTC_KS.get_proxy()


@pytest.fixture
def read(boss, tmp_path):
    """Hands a kickstart to Boss; returns errors and warnings as tuples of module, line, text."""

    def of(text):
        path = tmp_path / "site.ks"
        path.write_text(text)
        report = boss.ReadKickstartFile(str(path))
        return [
            [(m["module-name"].unpack(), m["line-number"].unpack(), m["message"].unpack()) for m in report[key]]
            if not hasattr(report[key], "unpack")
            else [(m["module-name"], m["line-number"], m["message"]) for m in report[key].unpack()]
            for key in ("error-messages", "warning-messages")
        ]

    return of


def run(path):
    """Runs a task of ours as Boss does. Returns what it said; raises what it raised."""
    from org_bootc_ks.constants import BOOTC_KS

    return run_proxy(BOOTC_KS.get_proxy(path))


def run_proxy(task):
    """The same, for a task of any module."""
    said = []
    task.ProgressChanged.connect(lambda _step, message: said.append(message))
    task.Start()
    from gi.repository import GLib

    context = GLib.MainContext.default()
    while task.IsRunning:
        context.iteration(False)
        time.sleep(0.02)
    # What it said last may still be on its way.
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        context.iteration(False)
        time.sleep(0.02)
    task.Finish()
    return said


def view_of(service):
    from org_bootc_ks import view

    return view.from_structure(service.View)


def kickstart(image, *lines):
    """A kickstart of the kind that this Anaconda knows."""
    command = f"ostreecontainer --transport=oci --url={image[4:]}"
    if not image.startswith("oci:"):
        command = f"ostreecontainer --transport=registry --url={image}"
    section = "\n".join(lines)
    return f"lang en_US.UTF-8\nrootpw --lock\n{command}\n%addon org_bootc_ks\n{section}\n%end\n"


def test_boss_finds_the_service(boss):
    assert SERVICE in boss.GetModules()


def test_a_kickstart_is_taken_over_without_a_section(read, service, layout):
    errors, _warnings = read(f"lang en_US.UTF-8\nrootpw --lock\nostreecontainer --transport=oci --url={layout}:one\n")
    assert not errors
    shown = view_of(service)
    assert (shown.kind, shown.image, shown.state) == ("ostreecontainer", f"oci:{layout}:one", "idle")


def test_errors_come_with_the_lines_of_the_file(read, layout):
    text = f"# a comment\n\nrootpw --lock\nostreecontainer --transport=oci --url={layout}:one\n\n"
    errors, _warnings = read(text + "%addon org_bootc_ks\ncheck = warn\nbogus = 1\n%end\n")
    assert [(module, line) for module, line, _text in errors] == [(SERVICE, 6)]
    assert errors[0][2].startswith("line 2 of %addon org_bootc_ks: unknown key `bogus`")


def test_warnings_come_with_the_lines_of_the_file(read, layout):
    errors, warnings = read(f"# c\nrootpw --lock\nostreecontainer --transport=oci --url={layout}:one\n%pre\n%end\n")
    assert not errors
    assert (SERVICE, 4) in [(module, line) for module, line, _text in warnings]


def test_nothing_is_written_twice_and_no_password_at_all(read, boss, layout):
    read(kickstart(f"oci:{layout}:one", "timeout = 9", "username = robot", f"password = {PASSWORD}"))
    text = boss.GenerateKickstart()
    assert text.count("ostreecontainer --") == 1
    assert text.count("%addon org_bootc_ks\n") == 1
    assert "timeout = 9\n" in text and "username = robot\n" in text
    assert PASSWORD not in text
    again, _warnings = read(text)
    assert not again


def test_the_tasks_of_a_good_image(read, boss, service, layout):
    digest = support.image(layout, "one")
    read(kickstart(f"oci:{layout}:one"))
    [configure] = service.ConfigureWithTasks()
    [install] = service.InstallWithTasks()
    # Both are made before either runs.
    run(configure)
    shown = view_of(service)
    assert (shown.state, shown.digest, shown.kernel) == ("passed", digest, support.KERNEL)
    assert shown.labels == support.LABELS and len(shown.layers) == 1
    run(install)
    record = json.loads(Path("/mnt/sysroot/var/log/bootc-ks/anaconda.json").read_text())
    assert record["facts"]["digest"] == digest
    assert record["image"] == f"oci:{layout}:one"


def test_a_bad_image_stops_before_the_disks(read, service, layout):
    from pyanaconda.modules.common.errors.payload import SourceSetupError

    support.image(layout, "bad", without=("vmlinuz",))
    read(kickstart(f"oci:{layout}:bad"))
    [configure] = service.ConfigureWithTasks()
    with pytest.raises(SourceSetupError) as caught:
        run(configure)
    text = str(caught.value)
    assert "has no kernel" in text and "No disk has been changed." in text and "Traceback" not in text


def test_a_bad_image_is_only_told_where_that_is_asked_for(read, service, layout):
    support.image(layout, "bad", without=("vmlinuz",))
    read(kickstart(f"oci:{layout}:bad", "check = warn"))
    [configure] = service.ConfigureWithTasks()
    assert any("has no kernel" in each for each in run(configure))


def test_a_service_that_was_killed_goes_on_with_what_it_was_asked(read, service, layout):
    from pyanaconda.core.dbus import DBus
    from pyanaconda.modules.common.errors.payload import SourceSetupError

    support.image(layout, "one")
    read(kickstart(f"oci:{layout}:one", "digest = sha256:" + "0" * 64))
    bus = DBus.get_proxy("org.freedesktop.DBus", "/org/freedesktop/DBus")
    process = bus.GetConnectionUnixProcessID(SERVICE)
    os.kill(process, signal.SIGKILL)
    until = time.monotonic() + 10
    while bus.NameHasOwner(SERVICE) and time.monotonic() < until:
        time.sleep(0.05)
    # The bus starts it again.
    [configure] = service.ConfigureWithTasks()
    assert bus.GetConnectionUnixProcessID(SERVICE) != process
    with pytest.raises(SourceSetupError) as caught:
        run(configure)
    assert "has the digest" in str(caught.value)


def test_no_check_where_none_is_wanted(read, service, layout):
    read(kickstart(f"oci:{layout}:missing", "check = off"))
    [configure] = service.ConfigureWithTasks()
    run(configure)
    assert view_of(service).state == "off"


@pytest.fixture
def registry(tmp_path, layout):
    support.image(layout, "one")
    server = support.Registry(tmp_path / "registry", ("robot", PASSWORD))
    server.push(layout, "one", "org/os:1")
    yield server
    server.stop()


def test_credentials_from_a_spoke_open_the_registry(read, service, registry):
    image = f"{registry.address}/org/os:1"
    read(kickstart(image, f"insecure-registry = {registry.address}"))
    run(service.CheckWithTask())
    shown = view_of(service)
    assert shown.state == "failed" and shown.problems[0][3] == "The registry refuses access"
    service.SetCredentials("robot", PASSWORD)
    run(service.CheckWithTask())
    shown = view_of(service)
    assert (shown.state, shown.username, shown.password_set) == ("passed", "robot", True)
    assert PASSWORD not in str(service.View)


def test_the_payload_gets_the_credentials_for_as_long_as_it_runs(read, service, registry):
    image = f"{registry.address}/org/os:1"
    lines = (f"insecure-registry = {registry.address}", "username = robot", f"password = {PASSWORD}")
    read(kickstart(image, *lines))
    [configure], [install] = service.ConfigureWithTasks(), service.InstallWithTasks()
    run(configure)
    path = Path("/run/ostree/auth.json")
    assert registry.address in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    run(install)
    assert not path.exists()
    assert not Path("/mnt/sysroot/etc/ostree/auth.json").exists()


def test_the_installed_system_keeps_them_where_that_is_asked_for(read, service, registry):
    lines = (f"insecure-registry = {registry.address}", "username = robot", f"password = {PASSWORD}")
    read(kickstart(f"{registry.address}/org/os:1", *lines, "keep-credentials = yes"))
    [configure], [install] = service.ConfigureWithTasks(), service.InstallWithTasks()
    run(configure)
    run(install)
    path = Path("/mnt/sysroot/etc/ostree/auth.json")
    assert registry.address in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    path.unlink()


def test_another_image_from_a_spoke_reaches_the_payload(read, boss, service, registry):
    read(kickstart(f"{registry.address}/org/os:1", f"insecure-registry = {registry.address}"))
    service.SetImage(f"{registry.address}/org/os:2")
    assert f'--url="{registry.address}/org/os:2"' in boss.GenerateKickstart()


def test_a_checked_digest_is_pinned_where_that_is_asked_for(read, boss, service, registry):
    lines = (f"insecure-registry = {registry.address}", "username = robot", f"password = {PASSWORD}", "pin = yes")
    read(kickstart(f"{registry.address}/org/os:1", *lines))
    run(service.CheckWithTask())
    service.ConfigureWithTasks()
    digest = view_of(service).digest
    assert f'--url="{registry.address}/org/os@{digest}"' in boss.GenerateKickstart()


def test_a_registry_that_says_nothing_leaves_the_service_awake(read, service):
    silent = support.Silent()
    read(kickstart(f"{silent.address}/org/os:1", f"insecure-registry = {silent.address}", "timeout = 5"))
    from org_bootc_ks.constants import BOOTC_KS

    task = BOOTC_KS.get_proxy(service.CheckWithTask())
    task.Start()
    started = time.monotonic()
    while task.IsRunning:
        asked = time.monotonic()
        view_of(service)
        assert time.monotonic() - asked < 1, "the service slept"
        time.sleep(0.2)
    task.Finish()
    assert 2 < time.monotonic() - started < 10
    shown = view_of(service)
    assert shown.state == "failed" and silent.address in shown.problems[0][1]
    silent.stop()


def test_no_log_has_the_password(boss):
    """Last of those that use it: it looks at all that was written meanwhile."""
    logs = [path for top in ("/tmp", "/run", "/mnt") for path in Path(top).rglob("*") if path.is_file()]
    logs = [path for path in logs if path.suffix in (".log", ".json", ".cfg", "") or "log" in path.name]
    texts = {path: path.read_bytes() for path in logs}
    assert any(SERVICE.encode() in text for text in texts.values()), "there is no log to look at"
    guilty = [path for path, text in texts.items() if PASSWORD.encode() in text]
    assert not guilty


def test_a_task_of_another_kind_of_installation_does_nothing(read, service):
    read("lang en_US.UTF-8\nrootpw --lock\nliveimg --url=http://example.com/os.img\n")
    assert view_of(service).kind == ""
    [configure], [install] = service.ConfigureWithTasks(), service.InstallWithTasks()
    assert run(configure) == []
    run(install)


def test_the_spoke_is_on_the_real_hub(layout, tmp_path):
    support.image(layout, "one")
    (tmp_path / "site.ks").write_text(kickstart(f"oci:{layout}:one"))
    steps = ["wait", "shot=hub.png", "enter", "sleep=1", "shot=spoke.png", "texts", "key=alt+x", "sleep=1", "leave"]
    steps += ["sleep=1", "state"]
    command = [support.need("xvfb-run", "xvfb"), "-a", "-s", "-screen 0 1024x768x24", sys.executable, str(HUB)]
    # It has a bus of its own.
    environment = {key: value for key, value in os.environ.items() if "DBUS" not in key}
    done = subprocess.run(
        [*command, str(tmp_path / "site.ks"), str(tmp_path), *steps],
        capture_output=True, text=True, timeout=300, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "status: oci:oci:one, checked;" in done.stdout
    lines = done.stdout.splitlines()
    assert any(line.startswith("sha256:") and len(line) == 71 for line in lines), lines
    assert any(line.endswith(" unpacked") for line in lines), lines
    # The check box was reached by its key alone.
    assert "pin: True" in done.stdout
    shots = {name: (tmp_path / name).read_bytes() for name in ("hub.png", "spoke.png")}
    assert all(len(shot) > 5000 for shot in shots.values()) and shots["hub.png"] != shots["spoke.png"]


def test_the_spoke_is_on_the_real_text_hub(tmp_path, registry):
    site = tmp_path / "site.ks"
    site.write_text(kickstart(f"{registry.address}/org/os:1", f"insecure-registry = {registry.address}", "timeout = 5"))
    typed = ["wait", "r", "3", "3", "robot", "4", PASSWORD, "wait", "r", "5", "c"]
    environment = {key: value for key, value in os.environ.items() if "DBUS" not in key}
    done = subprocess.run(
        [sys.executable, str(HUB.with_name("hub_text.py")), str(site)],
        input="\n".join(typed), capture_output=True, text=True, timeout=300, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    before, _line, after = done.stdout.partition(PASSWORD)
    assert "(The registry refuses access)" in before
    assert "All checks passed" in after and "os:1, checked" in after
    # What was typed is echoed by the test's own keyboard, and by nothing else.
    assert PASSWORD not in after


ENTRY = "/usr/libexec/bootc-ks/bootc"
DEMO = os.environ.get("BOOTC_KS_DEMO_IMAGE", "")


@pytest.fixture
def disk(tmp_path):
    """A disk of our own with a root file system at /mnt/sysimage, as Anaconda's storage leaves it."""
    image = tmp_path / "disk.img"
    with open(image, "wb") as file:
        file.truncate(3 * 2**30)
    command("sgdisk", "--new=1:0:+1M", "--typecode=1:ef02", "--new=2:0:0", str(image))
    loop = command("losetup", "--find", "--show", "--partscan", str(image)).strip()
    # For kernels that do not read the table themselves.
    subprocess.run(["partx", "--add", loop], check=False, capture_output=True)
    made = [node(f"{loop}p{number}") for number in (1, 2)]
    command("mkfs.ext4", "-q", f"{loop}p2")
    command("mount", f"{loop}p2", "/mnt/sysimage")
    yield loop
    subprocess.run(["umount", "--recursive", "/mnt/sysroot"], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["umount", "--recursive", "/mnt/sysimage"], check=False)
    subprocess.run(["partx", "--delete", loop], check=False, capture_output=True)
    command("losetup", "--detach", loop)
    for path in filter(None, made):
        os.unlink(path)
    if kept := os.environ.get("BOOTC_KS_KEEP_DISK"):
        command("cp", "--sparse=always", str(image), kept)


def installed_by_the_command(image, target, directory):
    """Names of the objects of a disk that `bootc-ks install` makes of the same image."""
    kickstart, disk = directory / "plain.ks", directory / "plain.img"
    lines = ["zerombr", "clearpart --all", "rootpw --lock", "part biosboot --fstype=biosboot --size=1"]
    kickstart.write_text("\n".join([*lines, "part / --fstype=ext4 --size=2000 --grow", ""]))
    words = ["bootc-ks", "install", str(kickstart), "--image", image, "--target-image", target, "--yes"]
    words += ["--disk-image", str(disk), "--size", "3G", "--log", str(directory / "plain.log")]
    # The same program; what it does goes by its name.
    done = subprocess.run(words, executable=ENTRY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    root = command("sgdisk", "--info=2", str(disk))
    first = re.search(r"First sector: (\d+)", root)
    assert first, root
    start = int(first[1]) * 512
    place = directory / "plain"
    place.mkdir()
    command("mount", "-o", f"ro,loop,offset={start}", str(disk), str(place))
    try:
        return objects(place)
    finally:
        command("umount", str(place))


def objects(root):
    """Objects of a root's repository; they are named by their content."""
    repository = root / "ostree/repo/objects"
    return {str(path.relative_to(repository)) for path in repository.glob("*/*")}


def node(path):
    """Makes the device node of a partition where no daemon does; returns it then."""
    if os.path.exists(path):
        return None
    major, minor = Path(f"/sys/class/block/{os.path.basename(path)}/dev").read_text().strip().split(":")
    os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(int(major), int(minor)))
    return path


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


@pytest.mark.skipif(
    not (os.access(ENTRY, os.X_OK) and DEMO), reason="wants an image with --payload, and BOOTC_KS_DEMO_IMAGE"
)
def test_the_real_deploy_task_installs_with_bootc_ks(read, service, disk, tmp_path):
    from pyanaconda.modules.common.constants.services import PAYLOADS

    image, target = f"oci:{DEMO}:demo", "registry.example.com/fleet/os:10"
    errors, _warnings = read(
        f"lang en_US.UTF-8\nrootpw --lock\nbootc --source-imgref={image} --target-imgref={target}\n"
    )
    assert not errors
    [configure], [install] = service.ConfigureWithTasks(), service.InstallWithTasks()
    tasks = [PAYLOADS.get_proxy(path) for path in PAYLOADS.get_proxy().InstallWithTasks()]
    run(configure)
    assert os.readlink("/usr/bin/bootc") == ENTRY
    said = {}
    # Those around them want disks that Anaconda's storage has planned.
    for task in tasks:
        if task.Name in ("Deploy bootc", "Set OSTree system root"):
            said[task.Name] = run_proxy(task)
    deployed = said["Deploy bootc"]
    assert any("layer" in each.lower() for each in deployed), deployed
    run(install)
    assert not os.path.islink("/usr/bin/bootc")
    record = json.loads(Path("/mnt/sysroot/var/log/bootc-ks/anaconda.json").read_text())
    assert not [each for each in record["problems"] if "when it was checked" in each["text"]]
    origin = next(Path("/mnt/sysimage/ostree/deploy").glob("*/deploy/*.origin")).read_text()
    assert target in origin
    found = objects(Path("/mnt/sysimage"))
    assert len(found) > 1000
    assert found == installed_by_the_command(image, target, tmp_path)
    print("\n".join(deployed))
