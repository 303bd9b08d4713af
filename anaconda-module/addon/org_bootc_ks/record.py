"""Files written into the installed system.

The target is a stranger's file tree: a link in it may point anywhere, also out of it. Every
directory is therefore opened below the one before, and no link is followed.
"""

import contextlib
import errno
import json
import os

RECORD = "var/log/bootc-ks/anaconda.json"
SCHEMA = 1
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class TargetError(OSError):
    """A place in the target cannot be written to; the message says which and why."""


def write(root, path, text, mode=0o600):
    """Writes `text` to `path` below `root`, in one go: a reader sees the old file or the new."""
    *directories, name = path.split("/")
    with contextlib.ExitStack() as stack:
        at = _opened(stack, root, None, root)
        for index, directory in enumerate(directories):
            shown = "/".join(directories[: index + 1])
            with contextlib.suppress(FileExistsError):
                os.mkdir(directory, 0o755, dir_fd=at)
            at = _opened(stack, directory, at, shown)
        _write_file(at, name, text.encode(), mode)


def _opened(stack, name, at, shown):
    try:
        descriptor = os.open(name, DIRECTORY, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise TargetError(error.errno, "a link or a file where a directory is expected", shown) from None
        raise TargetError(error.errno, error.strerror, shown) from None
    stack.callback(os.close, descriptor)
    return descriptor


def _write_file(at, name, data, mode):
    scratch = f".{name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(scratch, dir_fd=at)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=at)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
        os.rename(scratch, name, src_dir_fd=at, dst_dir_fd=at)
    except OSError:
        os.unlink(scratch, dir_fd=at)
        raise


def document(version, source, facts, problems, settings):
    """The install record: what was asked for, what was found, what was said. No secrets."""
    return (
        json.dumps(
            {
                "schema": SCHEMA,
                "version": version,
                "source": source.kind,
                "image": source.image,
                "updates_from": source.update_reference,
                "stateroot": source.stateroot,
                "check": settings.check,
                "pinned": settings.pin,
                "facts": facts.as_dict() if facts else None,
                "problems": [{"error": each.error, "text": each.text, "hint": each.hint} for each in problems],
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )
