"""Lets Anaconda run on a kernel that has no modules: blivet reads /proc/modules regardless."""

import builtins
import io
import os

if not os.path.exists("/proc/modules"):
    _open = builtins.open

    def _open_or_empty(file, *args, **kwargs):
        return io.StringIO("") if file == "/proc/modules" else _open(file, *args, **kwargs)

    builtins.open = _open_or_empty
