"""Every setting, from every place that it can come from."""

from __future__ import annotations

import logging
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields_dict
from attrs.exceptions import FrozenInstanceError

from registry_core._base.defaults import Defaults
from registry_core._base.warning import warn_once
from registry_core._config.load import load_settings
from registry_core._world import World
from registry_core.errors import SettingsError
from registry_core.settings import SETTINGS, Setting, Settings, refresh_interval

#: Setting → texts for a variable, and what they mean. A new setting must be added here.
GOOD: dict[str, list[tuple[str, Any]]] = {
    "dev": [("true", True), ("1", True), ("TRUE", True), ("false", False), ("0", False)],
    "auto_refresh_providers": [("True", True), (" 0 ", False)],
    "refresh_interval_ms": [("60000", 60_000), ("7200000", 7_200_000)],
    "offline": [("1", True), ("False", False)],
    "cache_ttl_ms": [("0", 0), (" 5000 ", 5000)],
    "snapshot": [("snapshots/one.bin", Path("snapshots/one.bin"))],
    "store_dir": [("store", Path("store"))],
    "output": [("out", Path("out"))],
    "plugins": [("", ()), (" , ", ()), ("acme, zeta:policy,", ("acme", "zeta:policy"))],
    "disable_plugins": [("acme , zeta", ("acme", "zeta"))],
    "strict": [("1", True), ("0", False)],
    "trusted_hosts": [("LLM.example.com, localhost:8080", ("llm.example.com", "localhost:8080"))],
    "safe_project": [("/srv/app, /home/*,*", ("/srv/app", "/home/*", "*"))],
    "priority": [("acme,models.dev", ("acme", "models.dev"))],
    "facts_priority": [("acme,models.dev", ("acme", "models.dev"))],
    "fetch_retries": [("0", 0), ("5", 5)],
    "fetch_deadline_ms": [("1000", 1000)],
    "fetch_max_bytes": [("1048576", 2**20)],
    "shrink_limit": [("0", 0.0), ("0.9", 0.9), ("1", 1.0)],
    "shared": [
        ("s3://bucket/a/prefiX/", "s3://bucket/a/prefiX"),
        *((url, url) for url in ("gs://b", "az://c/p", "https://h/x", "file:///srv/@x")),
    ],
    "shared_mode": [("read", "read"), (" FULL ", "full")],
    "shared_poll_ms": [("5000", 5000)],
    "shared_key": [(" of the fleet ", "of the fleet")],
    "shared_gateways": [("acme, zeta", ("acme", "zeta"))],
}
#: Setting → texts that mean nothing.
BAD: dict[str, list[str]] = {
    "dev": ["yes", "on", "2"],
    "auto_refresh_providers": ["maybe"],
    "refresh_interval_ms": ["1h", "-1", "6e4", "60000.5", "٦٠٠٠٠", "9" * 5000],
    "offline": ["no"],
    "cache_ttl_ms": ["soon", "1_000"],
    "snapshot": ["a\0b"],
    "store_dir": ["a\0b"],
    "output": ["a\0b"],
    "plugins": [],  # every text is a list
    "disable_plugins": [],
    "strict": ["very"],
    "trusted_hosts": ["https://llm.example.com", "llm.example.com/v1", "user@host", "a b"],
    "safe_project": [".", "app", "app/*", "/srv,app", "~/app"],
    "priority": [],
    "facts_priority": [],
    "fetch_retries": ["three"],
    "fetch_deadline_ms": ["30s"],
    "fetch_max_bytes": ["64M", str(10**13)],
    "shrink_limit": ["50%", "1.5", "-0.1", "nan", "inf"],
    "shared": [
        *("bucket", "s3://", "ftp://h/x", "file:relative", "memory:///"),
        *("s3://b//x", "s3://b/../x", "s3://b/x/..", "file:///x//y", "file:///"),
        "s3://b/x@y",
    ],
    "shared_mode": ["write"],
    "shared_poll_ms": ["1m"],
    "shared_key": [],  # every text is a key
    "shared_gateways": [],
}
BY_NAME = {setting.name: setting for setting in SETTINGS}
VALUES = [
    pytest.param(BY_NAME[name], text, value, id=f"{name}={text}")
    for name, pairs in GOOD.items()
    for text, value in pairs
]
BAD_VALUES = [
    pytest.param(BY_NAME[name], text, id=f"{name}={text[:20]!r}")
    for name, texts in BAD.items()
    for text in texts
]
FALLBACKS = {
    "MASTRA_DEV": "dev",
    "MASTRA_AUTO_REFRESH_PROVIDERS": "auto_refresh_providers",
    "MASTRA_REFRESH_INTERVAL_MS": "refresh_interval_ms",
    "MASTRA_OFFLINE": "offline",
}
ONLY_IN_PYPROJECT = {"project", "outputs", "types_providers", "plugin_options"}
ONLY_IN_ENVIRONMENT = {
    *("dev", "output", "cache_ttl_ms", "snapshot", "store_dir", "safe_project"),
    *("shared", "shared_mode", "shared_poll_ms", "shared_key"),
}


def never(message: str) -> None:
    raise AssertionError(f"warned: {message}")


@pytest.fixture
def pyproject(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the pyproject.toml of a repository; returns its folder."""
    root = (tmp_path / "repository" / "backend").resolve()
    root.mkdir(parents=True)
    (root.parent / ".git").mkdir()

    def write(text: str) -> Path:
        (root / "pyproject.toml").write_text(text, "utf-8")
        return root

    return write


def expected(value: Any, base: Path) -> Any:
    return base / value if isinstance(value, Path) else value


def allowed(setting: Setting) -> str:
    return setting.kind.allowed.replace("from 0", f"from {setting.least or 0}")


# The table


def test_every_setting_has_values_to_be_tested_with() -> None:
    assert BY_NAME.keys() == GOOD.keys() == BAD.keys()
    assert fields_dict(Settings).keys() == BY_NAME.keys() | ONLY_IN_PYPROJECT | {"plugin_variables"}


def test_which_settings_have_a_fallback_or_no_key() -> None:
    fallbacks = {setting.fallback: setting.name for setting in SETTINGS if setting.fallback}
    assert fallbacks == FALLBACKS
    assert {one.name for one in SETTINGS if not one.pyproject} == ONLY_IN_ENVIRONMENT
    assert {one.name for one in SETTINGS if one.blank} == {"plugins"}


def test_the_defaults_are_those_of_the_design() -> None:
    settings = Settings()
    assert (settings.dev, settings.offline, settings.strict) == (False, False, False)
    assert (settings.refresh_interval_ms, settings.cache_ttl_ms) == (3_600_000, 60_000)
    assert (settings.plugins, settings.disable_plugins) == (None, ())
    assert (settings.fetch_retries, settings.fetch_deadline_ms) == (3, 30_000)
    assert (settings.fetch_max_bytes, settings.shrink_limit) == (64 * 2**20, 0.5)
    assert settings.snapshot is settings.store_dir is settings.output is settings.project is None
    assert settings.types_providers is None


@pytest.mark.parametrize(
    ("dev", "auto", "result"),
    [(False, None, False), (True, None, True), (True, False, False), (False, True, True)],
)
def test_auto_refresh_follows_dev_unless_told(dev: bool, auto: bool | None, result: bool) -> None:
    assert Settings(dev=dev, auto_refresh_providers=auto).auto_refresh is result


def test_auto_refresh_is_on_where_a_catalog_is_shared_unless_told() -> None:
    assert Settings(shared="s3://bucket").auto_refresh
    assert not Settings(shared="s3://bucket", auto_refresh_providers=False).auto_refresh


def test_no_credential_is_shown_that_stands_in_the_place_of_the_shared_catalog() -> None:
    for url in ("s3://user:hunter2@bucket/x", "az://c/p?sig=hunter2", "https://h/?token=hunter2#x"):
        with pytest.raises(SettingsError) as caught:
            load_settings({"REGISTRY_CORE_SHARED": url}, Path.cwd())
        assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match=re.escape("'S3://***@b/x?***' can't be read")):
        Settings(shared="S3://me:hunter2@b/x?sig=hunter2")
    assert "shared_key=***" in repr(Settings(shared_key="hunter2"))
    assert "shared_key=None" in repr(Settings())


# Environment


@pytest.mark.parametrize(("setting", "text", "value"), VALUES)
def test_a_variable_is_read(setting: Setting, text: str, value: Any, tmp_path: Path) -> None:
    assert setting.variable == f"REGISTRY_CORE_{setting.name.upper()}"
    loaded = load_settings({setting.variable: text}, tmp_path, warn=never)
    assert getattr(loaded, setting.name) == expected(value, tmp_path)


@pytest.mark.parametrize(("setting", "text", "value"), VALUES)
def test_a_lookup_reads_the_same_variables(
    setting: Setting, text: str, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.for_lookups({setting.variable: text}, warn=never)
    assert getattr(settings, setting.name) == expected(value, Path.cwd())


def test_a_lookup_without_variables_knows_the_same_defaults() -> None:
    environ = {"PATH": "/bin", "XREGISTRY_CORE_DEV": "1"}
    lookups, settings = World(environ=environ).lookups, Settings()
    assert isinstance(lookups, Defaults)
    for name in (name for name in dir(lookups) if not name.startswith("_")):
        assert getattr(lookups, name) == getattr(settings, name), name


@pytest.mark.parametrize("variable", [*(setting.variable for setting in SETTINGS), *FALLBACKS])
def test_a_lookup_reads_settings_if_any_of_their_variables_is_set(variable: str) -> None:
    assert isinstance(World(environ={variable: "true"}).lookups, Settings)


@pytest.mark.parametrize(("setting", "text"), BAD_VALUES)
def test_a_bad_variable_is_an_error_that_says_everything(
    setting: Setting, text: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({setting.variable: text}, tmp_path)
    assert caught.value.culprit == setting.variable
    assert repr(text)[:200] in caught.value.message
    assert allowed(setting) in caught.value.hint


@pytest.mark.parametrize(("setting", "text"), BAD_VALUES)
def test_a_bad_variable_does_not_stop_a_lookup(setting: Setting, text: str) -> None:
    warnings: list[str] = []
    settings = Settings.for_lookups({setting.variable: text}, warn=warnings.append)
    assert settings == Settings()
    (warning,) = warnings
    assert setting.variable in warning
    assert repr(setting.default) in warning


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
@pytest.mark.parametrize("blank", ["", "  "])
def test_an_empty_variable_is_not_set_but_for_the_allow_list(
    setting: Setting, blank: str, tmp_path: Path
) -> None:
    settings = load_settings({setting.variable: blank}, tmp_path)
    value = () if setting.name == "plugins" else setting.default
    assert getattr(settings, setting.name) == value
    assert getattr(Settings.for_lookups({setting.variable: blank}), setting.name) == value


@pytest.mark.parametrize(("variable", "name"), FALLBACKS.items())
def test_mastras_variable_is_read_just_below_ours(
    variable: str, name: str, pyproject: Callable[[str], Path]
) -> None:
    ours = BY_NAME[name].variable
    low, high = ("60000", "70000") if name == "refresh_interval_ms" else ("false", "true")
    read = BY_NAME[name].kind.parse
    cwd = pyproject("[tool.registry-core]\nrefresh_interval_ms = 99000\noffline = true")
    for environ, text in [
        ({variable: high}, high),
        ({variable: high, ours: ""}, high),
        ({variable: high, ours: low}, low),
    ]:
        assert getattr(load_settings(environ, cwd), name) == read(text, "")
        assert getattr(Settings.for_lookups(environ), name) == read(text, "")


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("REGISTRY_CORE_OFLINE", "REGISTRY_CORE_OFFLINE"),
        ("REGISTRY_CORE_PLUGIN", "REGISTRY_CORE_PLUGINS"),
        ("REGISTRY_CORE_Offline", "REGISTRY_CORE_OFFLINE"),
        ("REGISTRY_CORE_ACME_TOKEN", None),
        ("REGISTRY_CORE_NETLIFY_TOKEN", None),
        ("REGISTRY_CORE_PLUGIN_S", None),  # an option, perhaps: the host knows
        ("REGISTRY_CORE_PORT", None),  # Kubernetes sets it for a service named registry-core
        ("REGISTRY_CORE_", None),
        ("OFFLINE", None),
    ],
)
def test_a_mistyped_variable_is_named_with_the_right_one(
    variable: str, meant: str | None, tmp_path: Path
) -> None:
    warnings: list[str] = []
    settings = load_settings({variable: "1"}, tmp_path, warn=warnings.append)
    assert evolve(settings, plugin_variables={}) == Settings()
    told = [f"{variable} is not a setting; did you mean {meant}?"] if meant else []
    assert warnings == told
    Settings.for_lookups({variable: "1"}, warn=never)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        (" false ", False),
        ("0", 0),
        ("-12", -12),
        ("8080", 8080),
        *((text, text) for text in ("True", "007", "+1", "-0", "1_000", "0x1F", "1.10", "1e3")),
        *((text, text) for text in ("٣", "9" * 19, "null", '"1"', "[1]", "a,b", "2026-01-01")),
    ],
)
def test_an_option_of_a_plugin_is_read_as_toml_reads_it_if_nothing_is_lost(
    text: str, value: Any, tmp_path: Path
) -> None:
    variable = "REGISTRY_CORE_PLUGIN_ACME_DEPTH"
    (read,) = load_settings({variable: text}, tmp_path, warn=never).plugin_variables.items()
    assert read == (variable, value)
    assert type(read[1]) is type(value)


def test_only_what_may_be_an_option_of_a_plugin_is_kept_for_them(tmp_path: Path) -> None:
    service = "REGISTRY_CORE_PLUGIN_ACME"  # Kubernetes' for a service registry-core-plugin-acme
    environ = {
        "ACME_URL": "x",
        "REGISTRY_CORE_OFFLINE": "1",
        "REGISTRY_CORE_ACME_URL": "x",
        f"{service}_URL": "x",
        f"{service}_EMPTY": " ",
        f"{service}_PORT": "8080",
        f"{service}_SERVICE_HOST": "10.0.0.11",
        f"{service}_SERVICE_PORT": "80",
        f"{service}_SERVICE_PORT_HTTP": "80",
        f"{service}_PORT_80_TCP": "tcp://10.0.0.11:80",
        f"{service}_PORT_80_TCP_PROTO": "tcp",
        f"{service}_PORT_80_TCP_PORT": "80",
        f"{service}_PORT_80_TCP_ADDR": "10.0.0.11",
    }
    kept = ["REGISTRY_CORE_ACME_URL", f"{service}_PORT", f"{service}_URL"]
    assert sorted(load_settings(environ, tmp_path).plugin_variables) == kept
    environ[f"{service}_PORT"] = "tcp://10.0.0.11:80"
    kept.remove(f"{service}_PORT")
    assert sorted(load_settings(environ, tmp_path).plugin_variables) == kept


def test_the_environment_is_passed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGISTRY_CORE_OFFLINE", "true")
    assert not load_settings({}, tmp_path).offline
    assert not Settings.for_lookups({}).offline


def test_a_lookup_says_each_thing_once(caplog: pytest.LogCaptureFixture) -> None:
    warn_once.cache_clear()
    environ = {"REGISTRY_CORE_OFFLINE": "perhaps 100%"}
    with caplog.at_level(logging.WARNING, "registry_core"):
        Settings.for_lookups(environ)
        Settings.for_lookups(environ)
    (record,) = caplog.records
    assert record.name == "registry_core"
    assert record.getMessage().startswith("REGISTRY_CORE_OFFLINE: 'perhaps 100%' can't be read")
    assert record.getMessage().endswith("using the default, False")


def test_reading_the_environment_imports_nothing_heavy() -> None:
    code = (
        "import sys; from registry_core.settings import Settings; Settings.for_lookups({});"
        "heavy = {'tomllib', 'pluggy', 'importlib.metadata', 'requests', 'click', 'rich',"
        " 'cattrs', 'difflib', 'pathlib', 'logging', 'registry_core._config.project'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    path = str(Path(sys.modules["registry_core"].__path__[0]).parent)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": path, "SYSTEMROOT": "C:\\Windows"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


# The minimum of the interval


@pytest.mark.parametrize("value", [0, 1, 59_999])
def test_a_short_interval_is_raised_with_one_warning(
    value: int, pyproject: Callable[[str], Path]
) -> None:
    name = "REGISTRY_CORE_REFRESH_INTERVAL_MS"
    bare, cwd = pyproject(""), pyproject(f"[tool.registry-core]\nrefresh_interval_ms = {value}")
    loads: list[Callable[[Callable[[str], None]], Settings]] = [
        lambda warn: Settings.for_lookups({name: str(value)}, warn=warn),
        lambda warn: load_settings({name: str(value)}, bare, warn=warn),
        lambda warn: load_settings({}, cwd, warn=warn),
        lambda warn: load_settings({}, bare.parent, warn=warn, refresh_interval_ms=value),
    ]
    for load in loads:
        warnings: list[str] = []
        assert load(warnings.append).refresh_interval_ms == 60_000
        (warning,) = warnings
        assert f"{value} is too small; using 60000" in warning


def test_explicit_settings_may_go_lower() -> None:
    assert Settings(refresh_interval_ms=5).refresh_interval_ms == 5
    with pytest.raises(SettingsError, match=r"from 0 to"):
        Settings(refresh_interval_ms=-5)


def test_an_interval_passed_as_an_argument_has_the_same_minimum() -> None:
    warnings: list[str] = []
    assert refresh_interval(90_000, "interval_ms", warnings.append) == 90_000
    assert warnings == []
    assert refresh_interval(1000, "interval_ms", warnings.append) == 60_000
    assert len(warnings) == 1
    with pytest.raises(SettingsError, match=r"^interval_ms: .*from 60000 to"):
        refresh_interval(-5, "interval_ms")


# Arguments


@pytest.mark.parametrize(("setting", "text", "value"), VALUES)
def test_an_argument_outranks_the_environment(
    setting: Setting, text: str, value: Any, tmp_path: Path
) -> None:
    environ = {setting.variable: "nonsense that would be an error \0"}
    loaded = load_settings(environ, tmp_path, warn=never, **{setting.name: value})
    assert getattr(loaded, setting.name) == expected(value, tmp_path)


def test_an_argument_that_is_none_was_not_given(tmp_path: Path) -> None:
    assert load_settings({"REGISTRY_CORE_OFFLINE": "1"}, tmp_path, offline=None).offline


@pytest.mark.parametrize(
    "argument",
    [
        {"offline": "perhaps"},
        {"cache_ttl_ms": 1.5},
        {"cache_ttl_ms": True},
        {"output": 7},
        {"plugins": [1]},
        {"shrink_limit": True},
        {"trusted_hosts": 7},
        {"priority": {"a": 1}},
    ],
)
def test_a_bad_argument_is_named(argument: dict[str, Any], tmp_path: Path) -> None:
    (name,) = argument
    with pytest.raises(SettingsError, match=f"^argument {name}: "):
        load_settings({}, tmp_path, **argument)
    with pytest.raises(SettingsError, match=rf"^Settings\.{name}: "):
        Settings(**argument)


def test_an_argument_that_is_no_setting_is_a_type_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="ofline"):
        load_settings({}, tmp_path, ofline=True)


# pyproject.toml


def toml(value: Any) -> str:
    """A value as TOML writes it; paths stay texts."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    return str(value) if isinstance(value, (int, float)) else f'"{value}"'


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [one for one in VALUES if one.values[0].name not in ONLY_IN_ENVIRONMENT],  # type: ignore[union-attr]
)
def test_a_key_is_read_below_the_environment(
    setting: Setting, text: str, value: Any, pyproject: Callable[[str], Path]
) -> None:
    root = pyproject(f"[tool.registry-core]\n{setting.name} = {toml(value)}")
    below = root / "src" / "deep"
    below.mkdir(parents=True)
    loaded = load_settings({}, below, warn=never)
    assert getattr(loaded, setting.name) == expected(value, root)
    assert loaded.project == root
    for other_text, other in GOOD[setting.name]:
        above = load_settings({setting.variable: other_text}, below, warn=never)
        assert getattr(above, setting.name) == expected(other, below)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('offline = "perhaps"', "offline"),
        ("refresh_interval_ms = 1.5", "refresh_interval_ms"),
        ("plugins = 7", "plugins"),
        ("plugins = [7]", "plugins"),
        ("trusted_hosts = ['https://x']", "trusted_hosts"),
    ],
)
def test_a_bad_key_is_an_error_that_names_the_file(
    line: str, name: str, pyproject: Callable[[str], Path]
) -> None:
    root = pyproject(f"[tool.registry-core]\n{line}")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, root)
    assert caught.value.culprit == f"{name} in [tool.registry-core] of {root / 'pyproject.toml'}"
    assert allowed(BY_NAME[name]) in caught.value.hint


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[tool.registry-core]\nofline = true", ["'ofline'", "'offline'"]),
        ("[tool.registry-core]\nrefresh-interval-ms = 1", ["'refresh_interval_ms'"]),
        (
            "[tool.registry-core]\nmodels_dev_url = 'http://localhost'",
            ["'models_dev_url'", "[tool.registry-core.plugin.<its entry point>]"],
        ),
        ("[tool.registry-core]\ndev = true", ["'dev'", "REGISTRY_CORE_DEV"]),
        ("[tool.registry-core]\noutput = 'out'", ["tool.registry-core.output", "'out'", "table"]),
        ("[tool.registry-core]\ntypes = ['openai']", ["tool.registry-core.types", "table"]),
        ("[tool.registry-core.types]\nprovider = ['openai']", ["'provider'", "'providers'"]),
        ("[tool.registry-core.types]\nproviders = 5", ["providers", "5", "list"]),
        ("[tool.registry-core.plugin]\nacme = 1", ["tool.registry-core.plugin.acme", "table"]),
        ("[tool]\nregistry-core = 3", ["tool.registry-core", "3", "table"]),
        ("[tool.registry-core.output]\njson = 5", ["output json", "5", "folder"]),
        ("[tool.registry-core.output]\njson = ''", ["output json", "folder"]),
        ("[tool.registry-core.output]\njson = '../..'", ["'../..'", "inside the repository"]),
        ("[tool.registry-core.output]\njson = '/etc'", ["'/etc'", "inside the repository"]),
        ("[tool.registry-core.output]\njson = '../.git/hooks'", [".git"]),
        ("[tool.registry-core]\nbroken = ", ["can't be parsed"]),
    ],
)
def test_what_the_table_must_not_hold(
    text: str, parts: list[str], pyproject: Callable[[str], Path]
) -> None:
    root = pyproject(text)
    with pytest.raises(SettingsError) as caught:
        load_settings({}, root)
    message = str(caught.value)
    assert [part for part in [*parts, str(root / "pyproject.toml")] if part not in message] == []


def test_the_tables_of_outputs_types_and_plugins(pyproject: Callable[[str], Path]) -> None:
    root = pyproject(
        """
        [tool.registry-core.output]
        python = "typings"
        typescript = "../web/src/llm"
        [tool.registry-core.types]
        providers = ["openai", "anthropic"]
        [tool.registry-core.plugin.acme]
        order = 2
        deny = ["a", "b"]
        """
    )
    settings = load_settings({}, root)
    assert settings.outputs == {
        "python": root / "typings",
        "typescript": root.parent / "web" / "src" / "llm",
    }
    assert settings.types_providers == ("openai", "anthropic")
    assert settings.plugin_options == {"acme": {"order": 2, "deny": ("a", "b")}}


def test_without_a_repository_the_pyprojects_folder_is_the_limit(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.registry-core.output]\njson = '../web'")
    with pytest.raises(SettingsError, match="inside the repository"):
        load_settings({}, tmp_path)


def test_a_link_does_not_lead_out_of_the_repository(
    pyproject: Callable[[str], Path], tmp_path: Path
) -> None:
    root = pyproject("[tool.registry-core.output]\njson = 'link/deep'")
    (root / "link").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(SettingsError, match="inside the repository"):
        load_settings({}, root)


def test_a_link_that_leads_to_itself_is_a_folder_that_can_not_be_written_or_read(
    pyproject: Callable[[str], Path], tmp_path: Path
) -> None:
    root = pyproject("[tool.registry-core.output]\njson = 'loop/deep'")
    loop = root / "loop"
    loop.symlink_to("loop")
    environ = {"REGISTRY_CORE_SAFE_PROJECT": f"{loop},{loop}/*"}
    assert load_settings(environ, root).outputs == {"json": loop / "deep"}
    with pytest.raises(SettingsError, match="loop"):
        load_settings({}, root, project=loop)
    loop.unlink()
    (root / "pyproject.toml").write_text("[tool.registry-core.output]\njson = 'loop/../../../../x'")
    loop.symlink_to("loop")
    with pytest.raises(SettingsError, match="inside the repository"):
        load_settings({}, root)


def test_the_nearest_pyproject_that_has_the_table_counts(pyproject: Callable[[str], Path]) -> None:
    root = pyproject("[tool.registry-core]\noffline = true")
    member, broken = root / "packages" / "one", root / "packages" / "one" / "broken"
    broken.mkdir(parents=True)
    (member / "pyproject.toml").write_text("[project]\nname = 'registry-core'\n[tool.other]\n")
    (broken / "pyproject.toml").write_text("[tool.other\n")  # not ours to judge
    settings = load_settings({}, broken)
    assert (settings.offline, settings.project) == (True, root)
    (member / "pyproject.toml").write_text("[tool.registry-core.types]\nproviders = []\n")
    settings = load_settings({}, broken)
    assert (settings.offline, settings.project, settings.types_providers) == (False, member, ())


OWN = "registry-core.toml"


def test_a_folder_without_a_pyproject_has_a_file_of_its_own_with_the_same_tables(
    pyproject: Callable[[str], Path],
) -> None:
    root = pyproject("[tool.registry-core]\noffline = true\nstrict = true")
    web = root / "web"
    web.mkdir()
    (web / OWN).write_text(
        """
        [tool.registry-core]
        offline = true
        snap = 1
        """
    )
    with pytest.raises(SettingsError, match="'snap'") as caught:
        load_settings({}, web)
    assert caught.value.culprit == str(web / OWN)
    (web / OWN).write_text(
        """
        [tool.registry-core]
        trusted_hosts = ["llm.example"]
        [tool.registry-core.output]
        typescript = "src/llm"
        [tool.registry-core.types]
        providers = ["openai"]
        [tool.registry-core.plugin.acme]
        order = 2
        """
    )
    for settings in (load_settings({}, web), load_settings({}, root.parent, project=web)):
        assert settings.project == web
        assert settings.trusted_hosts == ("llm.example",)
        assert settings.outputs == {"typescript": web / "src" / "llm"}
        assert settings.types_providers == ("openai",)
        assert settings.plugin_options == {"acme": {"order": 2}}
        assert (settings.offline, settings.strict) == (False, False)  # the nearest counts alone


@pytest.mark.parametrize("text", ["", "[tool]", "[tool.registry-core]"])
def test_an_empty_file_of_its_own_is_a_project(text: str, pyproject: Callable[[str], Path]) -> None:
    root = pyproject("[tool.registry-core]\noffline = true")
    (root / "web").mkdir()
    (root / "web" / OWN).write_text(text)
    settings = load_settings({}, root / "web")
    assert (settings.offline, settings.project) == (False, root / "web")


@pytest.mark.parametrize("name", ["pyproject.toml", "registry-core.toml"])
@pytest.mark.parametrize(
    ("encoding", "part"),
    [
        ("utf-8-sig", None),
        ("latin-1", "line 2 holds the byte 0xe9; save it as UTF-8"),
        ("utf-16", "UTF-16 does; save it as UTF-8"),
        ("utf-16-le", "UTF-16 does; save it as UTF-8"),
        ("utf-16-be", "UTF-16 does; save it as UTF-8"),
    ],
)
def test_a_table_in_another_encoding_is_named_and_never_passed_over(
    name: str, encoding: str, part: str | None, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes("[tool.registry-core]\n# é\noffline = true".encode(encoding))
    if part is None:
        assert load_settings({}, tmp_path).offline
    else:
        with pytest.raises(SettingsError, match=part) as caught:
            load_settings({}, tmp_path)
        assert caught.value.culprit == str(tmp_path.resolve() / name)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("offline = true", "[tool.registry-core]"),
        ("[output]\njson = 'out'", "[tool.registry-core]"),
        ("[tool.registry-core]\n[project]", "[tool.registry-core]"),
        ("[tool.ruff]", "[tool.registry-core]"),
        ("tool = 3", "[tool.registry-core]"),
        ("[tool]\nregistry-core = 3", "table"),
        ("[tool.other", "can't be parsed"),
        ("\xff", "can't be parsed"),
    ],
)
def test_what_the_file_of_its_own_must_not_hold(text: str, part: str, tmp_path: Path) -> None:
    file = tmp_path.resolve() / OWN
    file.write_bytes(text.encode("latin-1"))
    for project in (None, tmp_path):
        with pytest.raises(SettingsError) as caught:
            load_settings({}, tmp_path, project=project)
        assert caught.value.culprit == str(file)
        assert part in str(caught.value)


def test_two_tables_in_one_folder_are_an_error_that_names_both(
    pyproject: Callable[[str], Path],
) -> None:
    root = pyproject("[tool.registry-core]\noffline = true")
    (root / OWN).write_text("[tool.registry-core]\nstrict = true")
    for cwd, project in ((root, None), (root.parent, root)):
        with pytest.raises(SettingsError) as caught:
            load_settings({}, cwd, project=project)
        assert str(root / "pyproject.toml") in str(caught.value)
        assert OWN in str(caught.value)
    (root / "pyproject.toml").write_text("[project]\nname = 'x'")
    for cwd, project in ((root, None), (root.parent, root)):
        assert load_settings({}, cwd, project=project).strict


def test_no_pyproject_is_no_project(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path) == Settings()


def test_an_explicit_project_outranks_the_search(
    pyproject: Callable[[str], Path], tmp_path: Path
) -> None:
    root = pyproject("[tool.registry-core]\noffline = true")
    assert load_settings({}, tmp_path, project=root).project == root
    assert load_settings({}, root.parent, project=Path("backend")).offline
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    bare = load_settings({}, root, project=tmp_path)
    assert (bare.offline, bare.project) == (False, tmp_path.resolve())


@pytest.mark.parametrize("text", [None, "[project\n", b"\xff"])
def test_an_explicit_project_must_be_readable(text: Any, tmp_path: Path) -> None:
    file = tmp_path.resolve() / "pyproject.toml"
    if text is not None:
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SettingsError) as caught:
        load_settings({}, tmp_path, project=tmp_path)
    assert caught.value.culprit == str(file)


# The value itself


def test_settings_are_deeply_immutable_and_survive_pickle() -> None:
    settings = Settings(
        plugins=["a"],  # type: ignore[arg-type]  # code may be careless
        store_dir="x",  # type: ignore[arg-type]
        outputs={"json": Path("out")},
        plugin_options={"acme": {"list": [1, {"deep": True}]}},
        plugin_variables={"REGISTRY_CORE_PLUGIN_ACME_KEY": "s3cret"},
    )
    assert "REGISTRY_CORE_PLUGIN_ACME_KEY" in repr(settings)
    assert "s3cret" not in repr(settings)
    assert settings.plugins == ("a",)
    assert settings.store_dir == Path("x").absolute()
    assert settings.plugin_options["acme"]["list"] == (1, {"deep": True})
    with pytest.raises(FrozenInstanceError):
        settings.dev = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.outputs["json"] = Path()  # type: ignore[index]
    assert hash(settings) == hash(pickle.loads(pickle.dumps(settings)))
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("store_dir", " "), ("snapshot", ""), ("output", "a\0b"), ("cache_ttl_ms", None)],
)
def test_an_argument_that_is_no_value_is_an_error_and_no_default(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"Settings.{name}"):
        Settings(**{name: value})


def test_an_argument_of_none_is_the_default_where_that_is_none() -> None:
    assert Settings(store_dir=None).store_dir is None


def test_the_largest_number_is_taken_and_the_next_is_not() -> None:
    assert Settings(fetch_max_bytes=10**12).fetch_max_bytes == 10**12
    with pytest.raises(SettingsError):
        Settings(fetch_max_bytes=10**12 + 1)


def test_why_no_gateway_is_asked_is_said_in_words(tmp_path: Path) -> None:
    assert Settings().unasked is None
    assert Settings(offline=True).unasked == "offline: the network is not touched"
    pinned = Settings(offline=True, snapshot=tmp_path / "pinned").unasked
    assert pinned is not None
    assert str(tmp_path / "pinned") in pinned
