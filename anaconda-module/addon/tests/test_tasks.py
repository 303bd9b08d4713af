"""The tasks and the hub's questions, without Anaconda: its classes are stood in for, ours are real."""

import sys
import types

import org_bootc_ks
import pytest
from org_bootc_ks import checks, native, state
from org_bootc_ks.checks import Credentials, Facts, Problem
from org_bootc_ks.settings import Settings
from org_bootc_ks.source import Source

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
GOOD = Facts(digest=ONE, kernel="6", bootloader="bootupd", unpacked_size=1000)


class Task:
    """Anaconda's, as far as ours use it."""

    def __init__(self):
        self.said = []

    def report_progress(self, text):
        self.said.append(text)

    def check_cancel(self):
        return False


class SourceSetupError(Exception):
    pass


class Spoke:
    """A screen of either interface."""

    def __init__(self, *_args):
        pass


class Storage:
    """The storage module; `free` is what it says of the planned root."""

    free = 10**9

    def get_proxy(self, _path):
        return self

    def GetFileSystemFreeSpace(self, mount_points, timeout):
        assert mount_points == ["/"] and timeout
        if self.free is None:
            raise TypeError("nothing is planned")
        return self.free


def module(monkeypatch, name, **members):
    made = types.ModuleType(name)
    made.__path__ = []
    vars(made).update(members)
    monkeypatch.setitem(sys.modules, name, made)


def forget():
    """The parts of the add-on that know Anaconda, so that they are imported anew, with what is there then."""
    for part in ("constants", "remote", "service", "texts", "tui", "view"):
        for name in list(sys.modules):
            if name == f"org_bootc_ks.{part}" or name.startswith(f"org_bootc_ks.{part}."):
                del sys.modules[name]
        vars(org_bootc_ks).pop(part, None)


@pytest.fixture
def anaconda(monkeypatch):
    """What the tasks and the text spoke import of Anaconda and of its libraries."""
    forget()
    storage, flags = Storage(), types.SimpleNamespace(ksprompt=True)
    anything = types.SimpleNamespace()
    modules = (
        "pyanaconda pyanaconda.modules pyanaconda.modules.common pyanaconda.modules.common.errors "
        "pyanaconda.modules.common.constants pyanaconda.ui pyanaconda.ui.categories pyanaconda.ui.tui "
        "simpleline simpleline.render dasbus dasbus.server dasbus.structure"
    )
    for name in modules.split():
        module(monkeypatch, name)
    module(monkeypatch, "dasbus.error", DBusError=type("DBusError", (Exception,), {}))
    module(monkeypatch, "dasbus.identifier", DBusServiceIdentifier=lambda **_kw: anything)
    names = ("Bool", "Dict", "List", "Str", "Tuple", "UInt64")
    kinds: dict[str, object] = {name: name for name in names}
    generic = type("Generic", (), {"__class_getitem__": classmethod(lambda cls, _item: cls)})
    kinds.update(Dict=generic, List=generic, Tuple=generic, get_native=lambda v: v, get_variant=lambda _k, v: v)
    module(monkeypatch, "dasbus.typing", **kinds)
    module(monkeypatch, "pyanaconda.core.constants")
    module(monkeypatch, "pyanaconda.core")
    module(monkeypatch, "pyanaconda.core.dbus", DBus=anything)
    module(monkeypatch, "pyanaconda.flags", flags=flags)
    module(monkeypatch, "pyanaconda.modules.common.errors.payload", SourceSetupError=SourceSetupError)
    module(monkeypatch, "pyanaconda.modules.common.task", Task=Task)
    module(monkeypatch, "pyanaconda.modules.common.constants.objects", DEVICE_TREE="tree")
    module(monkeypatch, "pyanaconda.modules.common.constants.services", STORAGE=storage, NETWORK=anything)
    module(monkeypatch, "pyanaconda.modules.common.constants.namespaces", ADDONS_NAMESPACE=("a",))
    module(monkeypatch, "pyanaconda.modules.common.util", is_module_available=lambda _service: True)
    module(monkeypatch, "pyanaconda.ui.categories.software", SoftwareCategory=object)
    module(monkeypatch, "pyanaconda.ui.tui.spokes", NormalTUISpoke=Spoke)
    for name, members in {
        "adv_widgets": ("GetInputScreen", "GetPasswordInputScreen"),
        "containers": ("ListRowContainer",),
        "screen": ("InputState",),
        "screen_handler": ("ScreenHandler",),
        "widgets": ("EntryWidget", "TextWidget"),
    }.items():
        module(monkeypatch, f"simpleline.render.{name}", **{member: object for member in members})
    yield types.SimpleNamespace(storage=storage, flags=flags)
    forget()


@pytest.fixture
def data():
    """What is known, after a kickstart with an image."""
    made = state.State()
    made.start_over(Source("bootc", "q.io/a/b:1"), Settings())
    return made


@pytest.fixture
def looked(monkeypatch):
    """A look that finds GOOD, without a registry; a list of how often."""
    calls = []

    def look(*_args):
        calls.append(1)
        return GOOD

    monkeypatch.setattr(checks, "look", look)
    monkeypatch.setattr(native, "load", lambda: types.SimpleNamespace(__version__="1"))
    return calls


@pytest.fixture
def configure(anaconda, data, monkeypatch, tmp_path):
    """The task that runs before the disks, with the installer's root below `tmp_path`."""
    from org_bootc_ks import credentials
    from org_bootc_ks.service import entry, tasks

    monkeypatch.setattr(entry, "put", lambda: False)
    allowed = credentials.allow_insecure
    monkeypatch.setattr(credentials, "allow_insecure", lambda registries: allowed(registries, str(tmp_path)))
    return tasks.ConfigureTask(data, credentials.Runtime(str(tmp_path)))


def test_the_room_in_the_planned_root_counts(anaconda, configure, data, looked):
    anaconda.storage.free = 999
    with pytest.raises(SourceSetupError) as caught:
        configure.run()
    assert "room" in str(caught.value) and "No disk has been changed." in str(caught.value)
    # Where nothing is planned it is not known, and held against no image.
    anaconda.storage.free = None
    configure.run()
    assert data.check.state == state.PASSED


@pytest.mark.parametrize(("efi", "firmware"), [(True, "uefi"), (False, "bios")])
def test_the_firmware_is_the_machines(anaconda, monkeypatch, efi, firmware):
    from org_bootc_ks.service import entry, storage

    monkeypatch.setattr(storage.os.path, "isdir", lambda path: efi and path == "/sys/firmware/efi")
    for payload, needed in ((False, True), (True, False)):
        monkeypatch.setattr(entry, "wanted", lambda payload=payload: payload)
        place = storage.place(Source("bootc", "q.io/a/b:1"))
        assert (place.firmware, place.needs_bootupd, place.free) == (firmware, needed, 10**9)
    assert not storage.place(Source("ostreecontainer", "q.io/a/b:1")).needs_bootupd


def test_registries_that_need_no_tls_are_told_to_those_who_fetch(configure, data, looked, tmp_path):
    data.start_over(Source("bootc", "q.io/a/b:1"), Settings(insecure_registries=["q.io", "r.io:5000"]))
    configure.run()
    text = (tmp_path / "etc/containers/registries.conf.d/60-bootc-ks.conf").read_text()
    assert text.count("insecure = true") == 2 and '"r.io:5000"' in text


def test_a_registry_gets_its_share_of_attempts_and_time(monkeypatch):
    asked = {}

    def inspect(_reference, **_kw):
        raise RuntimeError("enough")

    fake = types.SimpleNamespace(
        Access=lambda **kw: asked.update(kw),
        Cancel=lambda: types.SimpleNamespace(cancel=lambda: None),
        Error=type("Error", (Exception,), {}),
        inspect=inspect,
    )
    with pytest.raises(checks.Failed):
        checks.look(fake, "q.io/a", Credentials("robot", "pw"), Settings(timeout=30), lambda _t: None, lambda: False)
    assert asked["retries"] == checks.ATTEMPTS - 1 == 2
    assert asked["read_timeout"] * checks.ATTEMPTS == 30 and asked["connect_timeout"] == 10
    assert (asked["username"], asked["password"], asked["authfile"]) == ("robot", "pw", None)


@pytest.mark.parametrize(
    ("settings", "facts", "deployed", "stops"),
    [
        (Settings(), GOOD, ONE, False),
        (Settings(pin=True), GOOD, ONE, False),
        (Settings(), GOOD, TWO, False),
        (Settings(pin=True), GOOD, TWO, True),
        (Settings(digest=ONE), GOOD, TWO, True),
        # The look was that of a process which is gone, or there was none.
        (Settings(digest=ONE), None, TWO, True),
        (Settings(check="off", digest=ONE), None, TWO, True),
        (Settings(digest=ONE), None, ONE, False),
        (Settings(digest=ONE), GOOD, "", False),
    ],
)
def test_a_digest_that_moved_is_told(anaconda, looked, monkeypatch, tmp_path, settings, facts, deployed, stops):
    from org_bootc_ks import credentials
    from org_bootc_ks.service import deployment, entry, tasks

    monkeypatch.setattr(deployment, "newest", lambda _root: deployed)
    monkeypatch.setattr(entry, "take_away", lambda: None)
    made = state.State()
    made.start_over(Source("bootc", "q.io/a/b:1"), settings)
    made.set_check(made.key(), state=state.PASSED, facts=facts)
    task = tasks.InstallTask(made, credentials.Runtime(str(tmp_path)), str(tmp_path), str(tmp_path))
    if stops:
        with pytest.raises(SourceSetupError) as caught:
            task.run()
        assert TWO in str(caught.value)
    else:
        task.run()
    record = (tmp_path / "var/log/bootc-ks/anaconda.json").read_text()
    assert ("when it was installed" in record) == (deployed == TWO)


@pytest.mark.parametrize(
    ("settings", "stops"),
    [
        (Settings(), True),
        (Settings(check="warn"), False),
        (Settings(check="off"), False),
        (Settings(check="warn", digest=ONE), True),
        (Settings(check="off", digest=ONE), True),
        (Settings(check="warn", pin=True), True),
    ],
)
def test_without_the_module_what_is_demanded_stops_the_installation(configure, data, monkeypatch, settings, stops):
    def load():
        raise native.Unavailable("The module cannot be loaded.")

    monkeypatch.setattr(native, "load", load)
    data.start_over(Source("bootc", "q.io/a/b:1"), settings)
    if stops:
        with pytest.raises(SourceSetupError) as caught:
            configure.run()
        assert "cannot be loaded" in str(caught.value)
    else:
        configure.run()


def test_who_does_not_know_what_was_asked_stops_the_installation(configure, data, looked):
    data.lost = "It cannot be read."
    with pytest.raises(SourceSetupError) as caught:
        configure.run()
    assert "It cannot be read." in str(caught.value) and not looked
    data.start_over(Source("bootc", "q.io/a/b:1"), Settings())
    configure.run()


def test_the_hub_waits_and_holds_back(anaconda, monkeypatch):
    from org_bootc_ks import view
    from org_bootc_ks.tui.spokes.container_image import ContainerImageSpoke

    shown = view.View(kind="bootc", state=state.RUNNING)
    spoke = ContainerImageSpoke(None, None, None)
    monkeypatch.setattr(spoke, "_remote", types.SimpleNamespace(view=lambda: shown))
    assert (spoke.ready, spoke.completed, spoke.mandatory) == (False, True, True)
    shown.state = state.FAILED
    assert (spoke.ready, spoke.completed) == (True, False)
    shown.required = False
    assert spoke.completed
    # Where no question can be asked, the task is the one that stops.
    anaconda.flags.ksprompt = False
    assert not spoke.mandatory


def test_a_service_that_is_gone_holds_the_hub_back(anaconda, monkeypatch):
    from org_bootc_ks import remote

    gone = remote.DBusError

    def get_proxy():
        raise gone("no such name")

    monkeypatch.setattr(remote, "BOOTC_KS", types.SimpleNamespace(get_proxy=get_proxy))
    seen = remote.Remote().view()
    assert seen.state == state.FAILED and not seen.acceptable and seen.problems[0][0]
    assert remote.Remote.wanted()
    assert Problem(*seen.problems[0]).text
