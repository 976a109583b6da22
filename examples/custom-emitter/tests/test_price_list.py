from __future__ import annotations

import pytest
import registry_price_list
from registry_price_list import registry_emit

from registry_core import Cost, Limit, ModelInfo, ProviderConfig, Snapshot
from registry_core.testing import EmitterContract, check_plugin, plugin_settings

OPTIONS = {"providers": ["acme"]}


class TestContract(EmitterContract):
    options = OPTIONS

    @pytest.fixture
    def plugin(self) -> object:
        return registry_price_list


def test_it_is_a_plugin() -> None:
    check_plugin(registry_price_list)


def snapshot_of(*models: ModelInfo) -> Snapshot:
    ids = {model.provider_id for model in models}
    return Snapshot.build(
        ProviderConfig(id, {one.id: one for one in models if one.provider_id == id}) for id in ids
    )


def lines(snapshot: Snapshot, **options: object) -> list[str]:
    (artifact,) = registry_emit(snapshot, plugin_settings(options))
    assert (artifact.emitter, artifact.path) == ("prices", "prices.csv")
    return artifact.text.splitlines()[1:]


def test_each_model_has_a_row_and_what_is_unknown_is_empty() -> None:
    snapshot = snapshot_of(
        ModelInfo("large", "acme", limit=Limit(context=200_000), cost=Cost(input=1.5, output=0)),
        ModelInfo("small", "acme", status="deprecated"),
    )
    assert lines(snapshot) == ["acme/large,,200000,1.5,0", "acme/small,deprecated,,,"]


def test_the_option_providers_scopes_the_list() -> None:
    snapshot = snapshot_of(ModelInfo("a", "acme"), ModelInfo("b", "other"))
    assert lines(snapshot, providers=["other"]) == ["other/b,,,,"]


def test_an_id_is_text_whatever_it_looks_like() -> None:
    snapshot = snapshot_of(ModelInfo('x,"y"', "=1+1"))
    assert lines(snapshot) == ['"\'=1+1/x,""y""",,,,']
