"""Try a file as a plugin, without installing it: `registry-core sync --plugin FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve

from ..errors import SettingsError
from ..settings import Settings
from .distributions import write_distribution


@contextmanager
def trial(file: Path, settings: Settings) -> Iterator[Settings]:
    """Settings under which `file` is a plugin beside the installed ones, named after the file.
    The store is a temporary folder.

    Installed policies still apply. Raises SettingsError if the file can't be imported by its
    name, or if no output folder is set.
    """
    file, name = file.absolute(), file.stem
    if settings.output is None:
        raise _refused(file, "writes to a folder that you name", "give --output DIR")
    if file.suffix != ".py" or not name.isidentifier():
        raise _refused(file, "is not a Python module", "name it like acme_gateway.py")
    paths = list(sys.path)
    with TemporaryDirectory(prefix="registry-core-", ignore_cleanup_errors=True) as folder:
        # A name that no installed distribution can have, since the first of two counts.
        site = write_distribution(Path(folder, "site"), file.name, "0", entry_points={name: name})
        # At the end, so that a neighbour of the file doesn't hide a module that others import.
        sys.path += [str(site), str(file.parent)]
        try:
            taken = _origin(name)
            if taken is None or Path(taken).resolve() != file.resolve():
                raise _refused(file, f"another module is called {name}: {taken}", "rename the file")
            only = settings.plugins
            yield evolve(
                settings,
                store_dir=Path(folder, "store"),
                plugins=None if only is None else (*only, file.name),
            )
        finally:
            sys.path[:] = paths


def _origin(name: str) -> str | None:
    """The file that `import name` would run, or has run."""
    with suppress(ImportError, ValueError):  # a module without a spec has no file
        spec = find_spec(name)
        if spec is not None and spec.has_location:
            return spec.origin
    return None


def _refused(file: Path, message: str, hint: str) -> SettingsError:
    return SettingsError(message, culprit=f"--plugin {file}", hint=hint)
