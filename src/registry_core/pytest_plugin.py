"""The pytest fixture of registry-core.

pytest loads this module in every test run where the package is installed, so it imports
nothing until a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

if TYPE_CHECKING:
    from .models import ProviderConfig
    from .registry import ModelRegistry

    Providers: TypeAlias = Mapping[str, Iterable[str]] | Iterable[ProviderConfig]


@pytest.fixture
def frozen_registry(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Providers], ModelRegistry]]:
    """`frozen_registry(providers)` makes these the only providers, until the test ends.

    `providers` maps ids to bare model ids, or is an iterable of `ProviderConfig`. The returned
    registry is used in the whole process, and in processes that the test starts
    (`REGISTRY_CORE_SNAPSHOT`). It uses no plugin, store or network.
    """
    from ._catalog.snapshot import Snapshot
    from .models import ProviderConfig
    from .registry import ModelRegistry

    def freeze(providers: Any) -> ModelRegistry:
        if issubclass(type(providers), Mapping):
            ids: Mapping[str, Any] = providers
            providers = [ProviderConfig(id, models) for id, models in ids.items()]
        file = tmp_path_factory.mktemp("registry-core") / "frozen.snapshot"
        file.write_bytes(Snapshot.build(providers).to_bytes())
        monkeypatch.setenv("REGISTRY_CORE_SNAPSHOT", str(file))
        monkeypatch.setenv("REGISTRY_CORE_AUTO_REFRESH_PROVIDERS", "false")
        ModelRegistry.reset_instance()
        return ModelRegistry.get_instance()

    yield freeze
    ModelRegistry.reset_instance()
