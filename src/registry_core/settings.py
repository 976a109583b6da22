"""The settings: from an argument, else the environment, else a file, else a default.

`Settings` is the only table: each field says how its value is read, and determines the
variable `REGISTRY_CORE_<NAME>` and the key of `[tool.registry-core]`. A lookup reads only the
environment (`Settings.for_lookups`), and imports this module only if a variable is set.
Commands and syncs read everything (`_config.load`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from attrs import Attribute, Converter, field, fields, frozen

from ._base.defaults import PREFIX, Defaults
from ._base.frozen import EMPTY, FrozenDict, Value, freeze
from ._base.warning import warn_once
from .errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


#: A shorter interval would overload the gateways; only explicit `Settings` in code may go lower.
MIN_REFRESH_INTERVAL_MS = 60_000
_MOST = 10**12

Warn = Callable[[str], object]


def _shown(value: Any) -> str:
    """The `repr`, without user, password and query of a URL."""
    return re.sub(
        r"(://[^?\s]*\?)[^\s'\"]+", r"\1***", re.sub(r"//[^/\s]*@", "//***@", repr(value))
    )


class Kind(NamedTuple):
    """How a value is read from text, TOML or Python."""

    allowed: str
    """What is allowed, for messages."""
    parse: Callable[[Any, str], Any]
    """Takes the value, and the folder where relative paths start. Raises ValueError."""

    def read(self, value: Any, source: str, base: str = "") -> Any:
        """The parsed value. Raises SettingsError that names `source`, the value and what is
        allowed."""
        try:
            return self.parse(value, base)
        except (ValueError, OSError):
            raise SettingsError(
                f"{_shown(value):.200} can't be read", culprit=source, hint=f"use {self.allowed}"
            ) from None


def _flag(value: Any, _base: str) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "1", "false", "0"):
        raise ValueError
    return text in ("true", "1")


def _count(value: Any, _base: str) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and int(text) <= _MOST):
        raise ValueError
    return int(text)


def _share(value: Any, _base: str) -> float:
    share = float(str(value))
    if not 0 <= share <= 1:
        raise ValueError
    return share


def _path(value: Any, base: str) -> Path:
    from pathlib import Path

    if not isinstance(value, (str, Path)) or not str(value).strip() or "\0" in str(value):
        raise ValueError
    return (Path(base) / value).absolute()


def _texts(value: Any, _base: str) -> tuple[str, ...]:
    if not isinstance(value, (str, list, tuple)):
        raise ValueError
    items = cast(Iterable[Any], value.split(",") if isinstance(value, str) else value)
    if not all(isinstance(item, str) for item in items):
        raise ValueError
    return tuple(item.strip() for item in items if item.strip())


def _hosts(value: Any, base: str) -> tuple[str, ...]:
    hosts = _texts(value, base)
    if not all(re.fullmatch(r"[^\s/?#@]+", host) for host in hosts):
        raise ValueError
    return tuple(host.lower() for host in hosts)


def _folder_patterns(value: Any, base: str) -> tuple[str, ...]:
    folders = _texts(value, base)
    if not all(folder == "*" or os.path.isabs(folder) for folder in folders):  # noqa: PTH117
        raise ValueError
    return folders


def _shared(value: Any, _base: str) -> str:
    text = str(value).strip().rstrip("/")
    plain = r"(?:/(?!\.{1,2}(?:/|$))[^\s?#/]+)*"  # neither empty nor `..`
    # Only before a host is an "@" the end of credentials.
    remote = rf"(?!.*@)(s3|gs|az|https?)://[^\s?#/]+{plain}"
    if not re.fullmatch(rf"{remote}|file://{plain}", text):
        raise ValueError
    return text


def _mode(value: Any, _base: str) -> str:
    text = str(value).strip().lower()
    if text not in ("full", "read"):
        raise ValueError
    return text


def _secret(value: Any, _base: str) -> str:
    return str(value).strip()


def _count_from(least: int) -> Kind:
    return Kind(f"a whole number from {least} to {_MOST}", _count)


FLAG = Kind("true, 1, false or 0", _flag)
COUNT = _count_from(0)
SHARE = Kind("a number from 0 to 1", _share)
PATH = Kind("a path", _path)
TEXTS = Kind("a list: separated by commas in a variable, an array in pyproject.toml", _texts)
HOSTS = Kind("a list of host names, like llm.example.com, without scheme and path", _hosts)
SHARED = Kind(
    "s3://BUCKET/PREFIX, gs://…, az://…, https://… or file:///…, without credentials, which belong"
    " in the engine's own variables",
    _shared,
)
MODE = Kind("full or read", _mode)
SECRET = Kind("a text", _secret)
FOLDERS = Kind("a list of absolute folders; FOLDER/* is all below it, * is any", _folder_patterns)


def _folders(value: Mapping[str, Path]) -> FrozenDict[str, Path]:
    return FrozenDict(value)


def _convert(value: Any, attribute: Attribute[Any]) -> Any:
    if value is None and attribute.default is None:
        return None
    return attribute.metadata["kind"].read(value, f"Settings.{attribute.name}")


_CONVERTER: Any = Converter(_convert, takes_field=True)


def _hidden(value: Any) -> str:
    return "None" if value is None else "***"


def _setting(kind: Kind, default: Any = None, *, hidden: bool = False, **more: Any) -> Any:
    return field(
        default=default,
        converter=_CONVERTER,
        repr=_hidden if hidden else _shown,
        metadata={"kind": kind, **more},
    )


@frozen(eq=False, repr=False)
class Settings(Value):
    """Every setting; `Settings()` is all defaults. Times are in milliseconds, sizes in bytes.

    A value that can't be read raises SettingsError. Paths become absolute.
    """

    #: A dev server is running: the project target is written too, and auto-refresh is on.
    dev: bool = _setting(FLAG, Defaults.dev, fallback="MASTRA_DEV", pyproject=False)
    #: None means the same as `dev` (see `auto_refresh`).
    auto_refresh_providers: bool | None = _setting(FLAG, fallback="MASTRA_AUTO_REFRESH_PROVIDERS")
    refresh_interval_ms: int = _setting(
        COUNT, 3_600_000, fallback="MASTRA_REFRESH_INTERVAL_MS", least=MIN_REFRESH_INTERVAL_MS
    )
    #: No network at all.
    offline: bool = _setting(FLAG, False, fallback="MASTRA_OFFLINE")
    #: How long a process trusts its loaded generation before it looks at the store's pointer.
    cache_ttl_ms: int = _setting(COUNT, Defaults.cache_ttl_ms, pyproject=False)
    #: A snapshot file to serve, read-only, instead of the store.
    snapshot: Path | None = _setting(PATH, pyproject=False)  # noqa: RUF009  # a field, not a value
    #: Replaces the whole folder of the environment's target: store, artifacts, payloads, lock.
    store_dir: Path | None = _setting(PATH, pyproject=False)  # noqa: RUF009
    #: A folder that gets every artifact instead of the installed types and the project.
    output: Path | None = _setting(PATH, pyproject=False)  # noqa: RUF009
    #: Distributions, or `distribution:entry`, that may load; None is all, empty is none.
    plugins: tuple[str, ...] | None = _setting(TEXTS, blank=True)
    #: Distributions, or `distribution:entry`, that must not load.
    disable_plugins: tuple[str, ...] = _setting(TEXTS, ())
    #: Raise all failures of a sync, in one ExceptionGroup, when it is done.
    strict: bool = _setting(FLAG, False)
    #: Further hosts that keys from the environment may go to.
    trusted_hosts: tuple[str, ...] = _setting(HOSTS, ())
    #: Folders whose project file may belong to somebody else. `FOLDER/*` includes all below.
    safe_project: tuple[str, ...] = _setting(FOLDERS, (), pyproject=False)
    #: Gateway ids. If two publish the same provider, the one named first keeps it.
    priority: tuple[str, ...] = _setting(TEXTS, ())
    #: Sources of facts that may replace what a gateway says, best first: "source" for all fields,
    #: "source:cost" or "source:lifecycle.retires_on" for one.
    facts_priority: tuple[str, ...] = _setting(TEXTS, ())
    #: How often a request is retried after a temporary failure.
    fetch_retries: int = _setting(COUNT, 3)
    #: A gateway that has not answered by then, retries included, is abandoned.
    fetch_deadline_ms: int = _setting(COUNT, 30_000)
    #: The largest payload, decompressed.
    fetch_max_bytes: int = _setting(COUNT, 64 * 2**20)
    #: A result with less than this share of a gateway's last good models is quarantined.
    shrink_limit: float = _setting(SHARE, 0.5)
    #: Where a fleet shares the results of gateways; None for nowhere.
    shared: str | None = _setting(SHARED, pyproject=False)
    #: "full", or "read": fetch nothing, and take what others have published.
    shared_mode: str = _setting(MODE, "full", pyproject=False)
    #: How often the refresher looks for something new there.
    shared_poll_ms: int = _setting(COUNT, 60_000, pyproject=False, least=1_000)
    #: The fleet's key: publications are sealed with it, and others are refused.
    shared_key: str | None = _setting(SECRET, pyproject=False, hidden=True)
    #: Gateways whose results are shared although a credential was sent for them.
    shared_gateways: tuple[str, ...] = _setting(TEXTS, ())

    # Only from a file.
    #: The folder of the file with the table; None if there is none.
    project: Path | None = None
    #: Emitter → absolute folder: where the project wants its artifacts.
    outputs: Mapping[str, Path] = field(default=EMPTY, converter=_folders)
    #: Providers that the project's generated types name; None is all.
    types_providers: tuple[str, ...] | None = _setting(TEXTS, variable=False)
    #: Entry point → that plugin's options.
    plugin_options: Mapping[str, Mapping[str, Any]] = field(
        default=EMPTY,
        converter=freeze,
        repr=lambda tables: repr({entry: sorted(table) for entry, table in tables.items()}),
    )

    # Only from the environment.
    #: Variable → value, for variables that start with `REGISTRY_CORE_` but are not settings:
    #: options of plugins (see `_plugins.options`).
    plugin_variables: Mapping[str, str | int | bool] = field(
        default=EMPTY, converter=freeze, repr=lambda variables: repr(sorted(variables))
    )

    @property
    def auto_refresh(self) -> bool:
        """Whether to refresh in the background."""
        if self.auto_refresh_providers is None:
            return self.dev or self.shared is not None
        return self.auto_refresh_providers

    @property
    def unasked(self) -> str | None:
        """Why syncs don't use the network, as a text; None if they do."""
        if self.snapshot is not None:
            return (
                f"pinned to {self.snapshot} (REGISTRY_CORE_SNAPSHOT): no gateway is asked, and"
                " the store is left alone"
            )
        return "offline: the network is not touched" if self.offline else None

    @classmethod
    def for_lookups(cls, environ: Mapping[str, str], warn: Warn = warn_once) -> Settings:
        """The settings of a lookup, from the environment and no file.

        If a value can't be read, `warn` is called and the default is used.
        """
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            variable = setting.variable_set(environ)
            if variable:
                try:
                    values[setting.name] = setting.read(environ[variable], variable, warn=warn)
                except SettingsError as error:
                    warn(f"{error}; using the default, {setting.default!r}")
        return cls(**values)


class Setting(NamedTuple):
    """One row of the table: a setting that has a variable."""

    name: str
    kind: Kind
    default: Any
    fallback: str | None = None
    """Mastra's variable, which is read if ours is not set."""
    pyproject: bool = True
    """Whether it has a key in `[tool.registry-core]`."""
    blank: bool = False
    """Whether an empty text is a value; otherwise it means "not set"."""
    least: int | None = None
    """The minimum. Smaller values are raised to it, with a warning."""

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    def variable_set(self, environ: Mapping[str, str]) -> str | None:
        """The variable that is set in `environ`: ours, else Mastra's; None if neither is."""
        if self.is_given(environ.get(self.variable)):
            return self.variable
        return (
            self.fallback if self.fallback and self.is_given(environ.get(self.fallback)) else None
        )

    def is_given(self, value: Any) -> bool:
        return value is not None and (
            self.blank or not isinstance(value, str) or bool(value.strip())
        )

    def read(self, value: Any, source: str, base: str = "", *, warn: Warn) -> Any:
        kind = self.kind if self.least is None else _count_from(self.least)
        result = kind.read(value, source, base)
        if self.least is not None and result < self.least:
            warn(f"{source}: {result} is too small; using {self.least}")
            return self.least
        return result


def refresh_interval(interval_ms: int, source: str, warn: Warn = warn_once) -> int:
    """An interval from an argument, raised to the minimum if it is shorter."""
    return int(BY_NAME["refresh_interval_ms"].read(interval_ms, source, warn=warn))


#: Every setting that has a variable, in the order of the class.
SETTINGS: tuple[Setting, ...] = tuple(
    Setting(row.name, default=row.default, **row.metadata)
    for row in fields(Settings)
    if row.metadata and row.metadata.get("variable", True)
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
VARIABLES = frozenset(setting.variable for setting in SETTINGS)
