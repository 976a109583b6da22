"""Finding plugins: pure, sorted, filtered before anything is imported."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from importlib import metadata
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import pytest

from registry_core._plugins import installed
from registry_core._plugins.discovery import (
    COMMANDS,
    GROUP,
    Discovery,
    exclusion,
    find_plugins,
    source_mentions,
)
from registry_core.errors import StoreError
from registry_core.settings import Settings
from registry_core.testing import write_distribution

EXPLODES = "raise AssertionError('imported')"


def find(site: Any, **settings: Any) -> Discovery:
    return find_plugins(Settings(**settings), [str(site.folder)])


def keys(discovery: Discovery) -> list[str]:
    return [source.key for source in discovery.selected]


def test_a_plugin_is_an_entry_point_of_an_installed_distribution(site: Any) -> None:
    site.install("Acme_Gateway", version="1.2", entry="acme", value="acme_gateway:plugin")
    (source,) = find(site).selected
    assert (source.distribution, source.entry, source.name) == (
        "acme-gateway",
        "acme",
        "Acme_Gateway",
    )
    assert (source.version, source.value) == ("1.2", "acme_gateway:plugin")
    assert source.key == "acme-gateway:acme"
    assert source.title == "Acme_Gateway 1.2 (entry acme)"


def test_the_default_is_to_look_where_python_looks(site: Any) -> None:
    site.install("acme")
    assert "acme:acme" in [one.key for one in find_plugins(Settings()).selected]


def test_the_result_is_sorted_whatever_the_order_on_disk(site: Any) -> None:
    for name in ("zeta", "alpha", "mid"):
        site.install(name, entry_points={"b": "x", "a": "y"})
    expected = ["alpha:a", "alpha:b", "mid:a", "mid:b", "zeta:a", "zeta:b"]
    assert keys(find(site)) == expected


def test_other_groups_are_not_plugins(site: Any) -> None:
    site.install_file("loose.py", "")
    assert find(site) == Discovery((), (), ())


@pytest.mark.parametrize("group", ["registry-core", "registry.core", "Registry_Core"])
def test_a_group_that_is_nearly_ours_is_named(site: Any, group: str) -> None:
    write_distribution(site.folder, "acme", entry_points={"acme": "acme"}, group=group)
    found = find(site)
    assert not found.selected
    (problem,) = found.problems
    assert "acme-1.0.dist-info" in problem.culprit
    assert f"group {group!r} are ignored; did you mean 'registry_core'?" in problem.message
    assert not problem.fatal


def test_a_megabyte_of_empty_lines_is_read_at_once(site: Any) -> None:
    """A search that takes the square of their number would hold up every command."""
    write_distribution(site.folder, "acme", entry_points={"acme": "acme"}, group="registry-core")
    (entries,) = site.folder.rglob("entry_points.txt")
    entries.write_text("\n" * 1_000_000 + entries.read_text())
    (problem,) = find(site).problems
    assert "group 'registry-core' are ignored" in problem.message


@pytest.mark.parametrize("group", ["registry_core.commands", "registry", "core", "pytest11"])
def test_a_group_that_is_another_is_not(site: Any, group: str) -> None:
    write_distribution(site.folder, "acme", entry_points={"acme": "acme"}, group=group)
    assert find(site) == Discovery((), (), ())


_audit: list[str] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _audit is not None and event in ("import", "open"):
        _audit.append(str(arguments[0]))


sys.addaudithook(_listen)


def test_discovery_imports_no_plugin_and_opens_no_code(site: Any) -> None:
    global _audit
    module = site.install("acme", EXPLODES)
    _audit = []
    try:
        discovery = find(site, disable_plugins=("nothing",))
        seen = _audit
    finally:
        _audit = None
    assert keys(discovery) == ["acme:acme"]
    assert not site.loaded(module)
    assert any(name.endswith("entry_points.txt") for name in seen)
    assert [name for name in seen if name == module or name.endswith(f"{module}.py")] == []


@pytest.mark.parametrize(
    ("allowed", "kept"),
    [
        (None, ["acme:gate", "acme:policy", "other:other"]),
        ((), []),
        (("ACME",), ["acme:gate", "acme:policy"]),
        (("acme:policy",), ["acme:policy"]),
        (("acme:policy", "Other"), ["acme:policy", "other:other"]),
    ],
)
def test_an_allow_list_names_distributions_or_entries(
    site: Any, allowed: tuple[str, ...] | None, kept: list[str]
) -> None:
    site.install("acme", entry_points={"gate": "acme", "policy": "acme"})
    site.install("other")
    discovery = find(site, plugins=allowed)
    assert keys(discovery) == kept
    assert discovery.problems == ()
    assert all("REGISTRY_CORE_PLUGINS" in reason for _, reason in discovery.excluded)
    assert len(discovery.found) == 3


def test_names_are_compared_as_packaging_does(site: Any) -> None:
    site.install("Acme.LLM_gateway", entry="acme")
    for name in ("acme-llm-gateway", "ACME__LLM.Gateway", "acme.llm-gateway:acme"):
        assert keys(find(site, disable_plugins=(name,))) == []
    assert keys(find(site, disable_plugins=("acme.llm-gateway:other",))) == [
        "acme-llm-gateway:acme"
    ]


def test_disabling_outranks_allowing(site: Any) -> None:
    site.install("acme")
    discovery = find(site, plugins=("acme",), disable_plugins=("acme:acme",))
    ((source, reason),) = discovery.excluded
    assert source.key == "acme:acme"
    assert "REGISTRY_CORE_DISABLE_PLUGINS" in reason


def test_exclusion_answers_for_plugins_that_are_not_installed() -> None:
    assert exclusion(Settings(), "gone:gone") is None
    assert exclusion(Settings(plugins=()), "gone:gone") is not None
    assert exclusion(Settings(disable_plugins=("Gone",)), "gone:gone") is not None


def test_a_filter_that_names_a_package_of_ours_says_how_to_install_it(site: Any) -> None:
    site.install("registry-polite", "")
    (problem,) = find(site, plugins=("Registry_Policy", "registry-polite")).problems
    assert problem.message.endswith("; pip install registry-policy adds it")
    (given_up,) = find(site, disable_plugins=("registry-policy",)).problems
    assert "pip install" not in given_up.message


def test_a_filter_that_names_nothing_is_told_with_the_nearest_name(site: Any) -> None:
    site.install("acme-gateway", entry="acme")
    discovery = find(site, disable_plugins=("acme-gatway",))
    assert keys(discovery) == ["acme-gateway:acme"]
    (problem,) = discovery.problems
    assert not problem.fatal
    assert "acme-gatway" in problem.message
    assert "'acme-gateway'" in problem.message


def test_names_that_only_begin_alike_are_not_suggested(site: Any) -> None:
    site.install("registry-gateway-netlify", entry="netlify")
    (problem,) = find(site, disable_plugins=("registry-gateway-openrouter",)).problems
    assert "did you mean" not in problem.message
    assert "registry-gateway-netlify" in problem.message  # among those that are known


def test_two_distributions_with_one_entry_point_name_are_a_clash(site: Any) -> None:
    site.install("acme", entry="gate")
    site.install("zeta", entry="gate")
    discovery = find(site)
    assert keys(discovery) == ["acme:gate", "zeta:gate"]
    (problem,) = discovery.problems
    assert not problem.fatal
    assert "acme 1.0" in problem.message
    assert "zeta 1.0" in problem.message


def test_a_clash_with_an_excluded_plugin_is_none(site: Any) -> None:
    site.install("acme", entry="gate")
    site.install("zeta", entry="gate")
    assert find(site, disable_plugins=("zeta",)).problems == ()


def test_of_one_distribution_twice_on_the_path_the_first_counts(site: Any, tmp_path: Path) -> None:
    site.install("acme", version="1.0")
    first = tmp_path / "first"
    type(site)(first).install("Acme", version="2.0", entry_points={"new": "acme"})
    discovery = find_plugins(Settings(), [str(first), str(site.folder), str(first)])
    assert [(one.key, one.version) for one in discovery.selected] == [("acme:new", "2.0")]


def test_a_newer_distribution_without_plugins_shadows_an_older_with_some(
    site: Any, tmp_path: Path
) -> None:
    site.install("acme")
    first = tmp_path / "first"
    type(site)(first).install("acme", entry_points={})
    assert find_plugins(Settings(), [str(first), str(site.folder)]).selected == ()


def info_folder(site: Any, name: str) -> Path:
    folder: Path = site.folder / name
    folder.mkdir()
    return folder


def test_broken_metadata_costs_nobody_else(site: Any) -> None:
    site.install("good")
    nameless = info_folder(site, "nameless-1.0.dist-info")
    (nameless / "entry_points.txt").write_text(f"[{GROUP}]\nx = y\n")
    binary = info_folder(site, "binary-1.0.dist-info")
    (binary / "entry_points.txt").write_bytes(b"\xff\xfe\x00")
    (binary / "METADATA").write_text("Name: binary\n")
    garbled = info_folder(site, "garbled-1.0.dist-info")
    (garbled / "entry_points.txt").write_text(f"[{GROUP}]\nno equals sign\n")
    (garbled / "METADATA").write_text("Name: garbled\nVersion: 1.0\n")
    info_folder(site, "empty-1.0.dist-info")
    discovery = find(site)
    assert keys(discovery) == ["good:good"]
    by_name = {Path(one.culprit).name.partition("-")[0]: one for one in discovery.problems}
    assert by_name.keys() == {"nameless", "binary", "garbled"}
    assert "no name" in by_name["nameless"].message
    # Ours are failures; one that can't be read may be anybody's.
    assert [by_name[name].fatal for name in ("nameless", "garbled", "binary")] == [
        True,
        True,
        False,
    ]


def test_broken_metadata_of_a_command_fails_no_sync(site: Any) -> None:
    site.install("good")
    broken = info_folder(site, "acme-1.0.dist-info")
    (broken / "entry_points.txt").write_text(f"[{COMMANDS}]\nno equals sign\n")
    (broken / "METADATA").write_text("Name: acme\n")
    (told,) = find(site).problems
    assert (told.fatal, keys(find(site))) == (False, ["good:good"])
    (told,) = find_plugins(Settings(), [str(site.folder)], COMMANDS).problems
    assert told.fatal


@pytest.mark.parametrize("finder", ["ours", "somebody's"])
def test_what_pip_has_moved_aside_is_nothing(
    finder: str, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("acme")
    (site.folder / "acme-1.0.dist-info").rename(site.folder / "~cme-1.0.dist-info")
    if finder != "ours":
        distributions = metadata.distributions
        monkeypatch.setattr(metadata, "distributions", lambda **given: distributions(**given))
    assert find(site) == Discovery((), (), ())


def test_a_distribution_without_a_version_is_still_a_plugin(site: Any) -> None:
    info = info_folder(site, "acme-1.0.dist-info")
    (info / "METADATA").write_text("Name: acme\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nacme = acme\n")
    assert [one.version for one in find(site).selected] == ["unknown"]


def test_an_entry_point_that_is_there_twice_counts_once(site: Any) -> None:
    site.install("acme")
    (site.folder / "acme-1.0.dist-info" / "entry_points.txt").write_text(
        f"[{GROUP}]\nacme = first\nacme = second\n"
    )
    discovery = find(site)
    assert [one.value for one in discovery.selected] == ["first"]
    assert "twice" in discovery.problems[0].message


@pytest.mark.parametrize(
    ("module", "files", "expected"),
    [
        ("flat", {"flat.py": "def registry_overlay(): ..."}, True),
        ("flat", {"flat.py": "def registry_emit(): ..."}, False),
        ("absent", {}, False),
        ("pack.plugin", {"pack/__init__.py": EXPLODES, "pack/plugin.py": "registry_overlay"}, True),
        (
            "pack.plugin",
            {
                "pack/__init__.py": "",
                "pack/plugin.py": "from .hooks import *",
                "pack/deep/hooks.py": "registry_overlay",
            },
            True,
        ),
        ("pack.gone", {"pack/__init__.py": "", "pack/policy.py": "registry_overlay"}, True),
        ("pack", {"pack/__init__.py": "", "pack/x.py": "registry_emit"}, False),
        # A package without __init__.py may be shared with other distributions.
        ("space.mine", {"space/mine.py": "", "space/other.py": "registry_overlay"}, False),
        ("space.mine", {"space/mine.py": "registry_overlay"}, True),
        ("space.gone", {"space/policy.py": "registry_overlay"}, True),
        ("flat.not_a_package", {"flat.py": "registry_overlay"}, True),
    ],
)
def test_code_is_searched_for_a_word_without_being_imported(
    site: Any, module: str, files: dict[str, str], expected: bool
) -> None:
    for path, text in files.items():
        site.install_file(path, text)
    assert source_mentions(module, "registry_overlay") is expected
    assert not site.loaded(module.partition(".")[0])


def test_code_that_cannot_be_read_may_hold_any_word(site: Any) -> None:
    site.install_file("pack/__init__.py", "")
    (site.folder / "pack" / "policy.py").mkdir()
    assert source_mentions("pack", "registry_overlay")


def test_each_search_sees_what_has_come_gone_or_changed(site: Any) -> None:
    site.install("acme", "", version="1.0")
    assert keys(find(site)) == ["acme:acme"]
    # An installer makes a distribution's folder first, and what is in it bit by bit.
    late = site.folder / "late-1.0.dist-info"
    late.mkdir()
    (late / "METADATA").write_text("Name: late\nVersion: 1.0\n")
    assert keys(find(site)) == ["acme:acme"]
    (late / "entry_points.txt").write_text("[registry_core]\nlate = late\n")
    assert keys(find(site)) == ["acme:acme", "late:late"]
    (late / "entry_points.txt").write_text("[registry_core]\nlater = late\n")
    assert keys(find(site)) == ["acme:acme", "late:later"]
    shutil.rmtree(late)
    assert keys(find(site)) == ["acme:acme"]


def test_a_folder_that_cannot_be_listed_now_is_not_an_empty_one(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("acme")

    def refuses(_: object) -> list[str]:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", refuses)
        with pytest.raises(StoreError, match="too many open files"):
            find(site)
    assert keys(find(site)) == ["acme:acme"]


def test_a_zip_file_on_the_path_may_hold_distributions(site: Any, tmp_path: Path) -> None:
    site.install("acme")
    file = shutil.make_archive(str(tmp_path / "all"), "zip", site.folder)
    assert keys(find_plugins(Settings(), [file, str(tmp_path / "absent")])) == ["acme:acme"]


def test_a_patched_search_for_distributions_is_used_and_leaves_nothing_behind(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tests of applications do it."""
    site.install("acme")
    assert keys(find(site)) == ["acme:acme"]
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.distributions", lambda **_: [])
        assert keys(find(site)) == []
    assert keys(find(site)) == ["acme:acme"]


def test_metadata_that_could_not_be_read_is_tried_again(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("acme")
    busy = OSError(errno.EMFILE, "too many open files")

    def fails(file: Any, *arguments: Any, **named: Any) -> Any:
        if str(file).endswith("METADATA"):
            raise busy
        return open(file, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(installed, "open", fails, raising=False)
        (problem,) = find(site).problems
    assert "too many open files" in problem.message
    assert keys(find(site)) == ["acme:acme"]


def test_a_finder_of_another_kind_is_asked(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def find_spec(self, *_: object) -> None:
            return None

        def find_distributions(self, *_: object) -> list[PathDistribution]:
            return [PathDistribution(site.folder / "acme-1.0.dist-info")]

    site.install("acme")
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert keys(find_plugins(Settings(), [])) == ["acme:acme"]
