"""What the tests stand on: a small image, a real registry, a registry that never answers."""

import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import time
import urllib.error
import urllib.request

OCI = "application/vnd.oci.image"
KERNEL = "6.1.0-test"
LABELS = {"containers.bootc": "1", "org.opencontainers.image.version": "7"}


def need(program, package):
    """The path of a program; a missing one fails the test and names the Debian package."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert path, f"`{program}` is missing: apt-get install {package} (or run tools/setup)"
    return path


def image(layout, tag, *, labels=LABELS, architecture="amd64", without=()):
    """Adds what passes every check without being able to boot; `without` leaves files out."""
    modules = f"usr/lib/modules/{KERNEL}"
    files = {
        f"{modules}/vmlinuz": b"not a kernel\n",
        f"{modules}/initramfs.img": b"not an initramfs\n",
        "usr/bin/bootupctl": b"#!/bin/sh\n",
        "usr/lib/bootupd/updates/EFI.json": b"{}",
        "usr/lib/bootupd/updates/BIOS.json": b"{}",
        "usr/lib/os-release": b"ID=mini\n",
    }
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in files.items():
            if name.split("/")[-1] not in without:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [_digest(plain.getvalue())]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _put(layout, f"{OCI}.config.v1+json", json.dumps(config).encode()),
        "layers": [_put(layout, f"{OCI}.layer.v1.tar+gzip", gzip.compress(plain.getvalue(), mtime=0))],
    }
    entry = _put(layout, f"{OCI}.manifest.v1+json", json.dumps(manifest).encode())
    path = layout / "index.json"
    index: dict = json.loads(path.read_text()) if path.exists() else {"schemaVersion": 2, "manifests": []}
    index["manifests"].append({**entry, "annotations": {"org.opencontainers.image.ref.name": tag}})
    path.write_text(json.dumps(index))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return entry["digest"]


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _put(layout, media_type, data):
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    (blobs / hashlib.sha256(data).hexdigest()).write_bytes(data)
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


class Registry:
    """Debian's docker-registry on loopback, with a login if one is given."""

    def __init__(self, directory, login=None, port=0):
        self._login = login
        self._directory = directory
        directory.mkdir(exist_ok=True)
        self.address = f"127.0.0.1:{port or _free_port()}"
        config = directory / "config.yml"
        config.write_text(self._config())
        self._log = open(directory / "log", "w", encoding="utf-8")
        command = [need("docker-registry", "docker-registry"), "serve", str(config)]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        self._wait()

    def _config(self):
        text = (
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n"
            f"    rootdirectory: {self._directory}/storage\nhttp:\n  addr: {self.address}\n"
        )
        if self._login:
            user, password = self._login
            # The registry takes bcrypt alone; perl has the C library's crypt at hand.
            script = "print crypt($ARGV[0], '$2b$04$abcdefghijklmnopqrstuu')"
            done = subprocess.run([need("perl", "perl-base"), "-e", script, password], capture_output=True, check=True)
            (self._directory / "htpasswd").write_text(f"{user}:{done.stdout.decode()}\n")
            text += f"auth:\n  htpasswd:\n    realm: test\n    path: {self._directory}/htpasswd\n"
        return text

    def _wait(self):
        for _attempt in range(100):
            assert self._process.poll() is None, "docker-registry ended"
            try:
                urllib.request.urlopen(f"http://{self.address}/v2/", timeout=5).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("docker-registry does not answer")

    def push(self, layout, tag, name):
        """Copies `tag` of a layout to `name`; returns the reference."""
        command = [need("skopeo", "skopeo"), "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"]
        if self._login:
            command.append("--dest-creds=" + ":".join(self._login))
        subprocess.run([*command, f"oci:{layout}:{tag}", f"docker://{self.address}/{name}"], check=True)
        return f"{self.address}/{name}"

    def stop(self):
        """Ends it."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


class Silent:
    """Accepts connections and says nothing, ever."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self._open.append(self._socket.accept()[0])
            except OSError:
                return

    def stop(self):
        """Hangs up."""
        self._socket.close()
        for each in self._open:
            each.close()


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
