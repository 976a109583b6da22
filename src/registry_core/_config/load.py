"""Load settings of commands and syncs: arguments, else the environment, else the project's file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from .._base.defaults import PREFIX
from .._base.frozen import EMPTY, Value
from .._base.warning import warn_once
from ..errors import SettingsError
from ..settings import BY_NAME, SETTINGS, VARIABLES, Setting, Settings, Warn
from .project import Project, candidates, find_project
from .variables import plugin_variables


@frozen(eq=False, repr=False)
class Source(Value):
    """The origin of a process's settings, for reading them again after a file was edited."""

    environ: Mapping[str, str]
    project: Path | None = None
    explicit: Mapping[str, Any] = field(default=EMPTY)

    def read(self) -> Settings:
        """Load the settings, with the current working directory."""
        return load_settings(self.environ, working_folder(), project=self.project, **self.explicit)

    def files(self) -> tuple[Path, ...]:
        """The files that may contain settings; empty if the working directory is gone."""
        try:
            return candidates(working_folder(), self.project)
        except SettingsError:
            return ()


def load_settings(
    environ: Mapping[str, str],
    cwd: Path,
    *,
    project: Path | None = None,
    warn: Warn = warn_once,
    **explicit: Any,
) -> Settings:
    """The settings of commands and syncs. An explicit None means "not given".

    The project is the one in the folder `project`, else the nearest one upward of `cwd`: a
    pyproject.toml with the table `[tool.registry-core]`, or a registry-core.toml. Relative
    paths start at `cwd`; those in a file start at its folder. `warn` is called for variables
    that look like misspelt settings.

    Raises SettingsError that names the key, the value, what is allowed and the source; also
    for a project that can't be read or belongs to somebody else (see `find_project`).
    """
    if unknown := explicit.keys() - BY_NAME.keys():
        raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
    _name_mistyped(environ, warn)

    def read(setting: Setting, table: Project | None = None) -> Any:
        variable = setting.variable_set(environ) or setting.variable
        candidates: list[tuple[Any, str, Any]] = [
            (explicit.get(setting.name), f"argument {setting.name}", cwd),
            (environ.get(variable), variable, cwd),
        ]
        if table is not None:
            source = f"{setting.name} in [tool.registry-core] of {table.file}"
            candidates.append((table.values.get(setting.name), source, table.file.parent))
        for value, source, base in candidates:
            if setting.is_given(value):
                return setting.read(value, source, str(base), warn=warn)
        return setting.default

    table = find_project(cwd, project, environ=environ, safe=read(BY_NAME["safe_project"]))
    values = {setting.name: read(setting, table) for setting in SETTINGS}
    values["plugin_variables"] = dict(plugin_variables(environ))
    if table is not None:
        values |= {
            "project": table.file.parent,
            "outputs": table.outputs,
            "types_providers": table.types_providers,
            "plugin_options": table.plugin_options,
        }
    return Settings(**values)


def working_folder() -> Path:
    """The current directory, where relative paths and the search for a project start. Raises
    SettingsError."""
    try:
        return Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"can't be determined: {error.strerror or error}",
            culprit="the working directory",
            hint="it may have been removed: change to a folder that is there",
        ) from error


def _name_mistyped(environ: Mapping[str, str], warn: Warn) -> None:
    for variable in environ:
        if (
            variable.startswith(PREFIX)
            and variable not in VARIABLES
            and not variable.startswith(f"{PREFIX}PLUGIN_")  # the host checks those
        ):
            from .._base.suggesting import nearest  # not above: mostly nothing is mistyped

            near = nearest(variable.removeprefix(PREFIX).lower(), BY_NAME, 0.8)
            if near is not None:  # otherwise it may be a plugin's, or set by Kubernetes
                warn(f"{variable} is not a setting; did you mean {BY_NAME[near].variable}?")
