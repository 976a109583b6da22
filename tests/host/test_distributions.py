"""The builder of real distributions, as plugin authors use it in their tests."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from registry_core.testing import write_distribution


def test_importlib_finds_the_distribution_whole(tmp_path: Path) -> None:
    folder = write_distribution(
        tmp_path / "site",
        "acme-gateway",
        "1.2",
        entry_points={"acme": "acme:plugin"},
        commands={"counts": "acme:counts"},
        modules={"acme/__init__.py": "plugin = None\n"},
    )
    (found,) = metadata.distributions(path=[str(folder)])
    assert (found.name, found.version) == ("acme-gateway", "1.2")
    assert [(one.group, one.name, one.value) for one in found.entry_points] == [
        ("registry_core", "acme", "acme:plugin"),
        ("registry_core.commands", "counts", "acme:counts"),
    ]
    files = {str(file): file for file in found.files or ()}
    assert "acme/__init__.py" in files
    assert "acme_gateway-1.2.dist-info/RECORD" in files
    assert all(Path(str(file.locate())).is_file() for file in files.values())
    size = files["acme/__init__.py"].size
    assert size == len("plugin = None\n")


def test_a_folder_holds_many_distributions(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_distribution(tmp_path, name, entry_points={name: name})
    assert sorted(found.name for found in metadata.distributions(path=[str(tmp_path)])) == [
        "one",
        "two",
    ]
