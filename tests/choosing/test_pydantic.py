"""Models and providers in pydantic and FastAPI, both ways; ids as fields."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError

from registry_core import ModelInfo, ProviderConfig, get_model, get_provider_config
from registry_core._catalog.bundle import Bundle
from registry_core.pydantic import KnownModelIdField, ModelIdField

MODELS = TypeAdapter(ModelInfo)
PROVIDERS = TypeAdapter(ProviderConfig)


def some() -> list[ModelInfo]:
    return [*Bundle.of_wheel().load().find_models(include_deprecated=True)][::40]


def test_a_model_comes_back_as_it_was() -> None:
    for model in some():
        assert MODELS.validate_python(model) is model
        assert MODELS.dump_python(model) == model.to_dict()
        assert MODELS.validate_python(model.to_dict()) == model
        assert MODELS.validate_json(MODELS.dump_json(model)) == model


def test_a_provider_comes_back_as_it_was() -> None:
    for id in ("openai", "azure", "amazon-bedrock", "netlify"):
        provider = Bundle.of_wheel().load().get_provider_config(id)
        assert provider is not None
        assert PROVIDERS.dump_python(provider) == provider.to_dict()
        assert PROVIDERS.validate_json(PROVIDERS.dump_json(provider)) == provider


class Holder(BaseModel):
    model: ModelInfo
    provider: ProviderConfig | None = None
    others: list[ModelInfo] = []


def test_they_are_fields_of_pydantic_models() -> None:
    found = some()
    holder = Holder(model=found[0], others=found[1:3])
    assert Holder.model_validate_json(holder.model_dump_json()) == holder
    assert json.loads(holder.model_dump_json())["model"] == found[0].to_dict()


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_json_schema_names_each_field(mode: Any) -> None:
    schema = Holder.model_json_schema(mode=mode)
    model, provider = (schema["$defs"][name] for name in ("ModelInfo", "ProviderConfig"))
    assert {*model["properties"]} == {*some()[0].to_dict()}
    assert model["required"] == ["id", "provider_id"]
    assert provider["required"] == ["id", "models"]
    assert "chat" in json.dumps(model["properties"]["kind"])
    assert "#/$defs/Limit" in json.dumps(model["properties"]["limit"])


@pytest.mark.parametrize(
    ("said", "place", "why"),
    [
        ({"provider_id": "acme"}, ("id",), "Field required"),
        ({"id": "", "provider_id": "acme"}, (), "id: expected an id, got an empty one"),
        ({"id": "m", "provider_id": "a", "cost": {"input": -1}}, ("cost",), "input: expected"),
        ({"id": "m", "provider_id": "a", "tool_call": "perhaps"}, ("tool_call",), "boolean"),
        ({"id": "m", "provider_id": "a", "kind": "chatt"}, ("kind",), "'chat'"),
        ({"id": "m", "provider_id": "a", "lifecycle": {"retires_on": "soon"}}, ("lifecycle",), ""),
        ("text", (), "valid dictionary"),
    ],
    ids=str,
)
def test_what_can_be_no_model_is_refused_by_field(
    said: Any, place: tuple[str, ...], why: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        MODELS.validate_python(said)
    (error,) = caught.value.errors()
    assert error["loc"] == place
    assert why in error["msg"]


def test_a_model_under_the_wrong_id_is_refused() -> None:
    said = {"id": "acme", "models": {"one": {"id": "two", "provider_id": "acme"}}}
    with pytest.raises(ValidationError, match="expected the model acme/one"):
        PROVIDERS.validate_python(said)


def test_a_model_of_a_class_of_its_own_is_refused_as_any_other_mistake() -> None:
    class Mine(ModelInfo):
        pass

    said = {"id": "acme", "models": {"m": Mine("m", "acme")}}
    with pytest.raises(ValidationError, match="expected ModelInfo, got Mine"):
        PROVIDERS.validate_python(said)


# FastAPI


def client() -> TestClient:
    app = FastAPI()

    @app.get("/models/{id:path}")
    def show(id: KnownModelIdField) -> ModelInfo:
        model = get_model(id)
        assert model is not None
        return model

    @app.get("/providers/{id}")
    def provider(id: str) -> ProviderConfig | None:
        return get_provider_config(id)

    @app.post("/models")
    def take(model: Annotated[ModelInfo, Body()]) -> list[ModelInfo]:
        return [model]

    return TestClient(app)


def test_fastapi_answers_and_takes_them() -> None:
    with client() as http:
        model = http.get("/models/openai/gpt-4o").json()
        assert model["limit"]["context"] == 128_000
        assert http.post("/models", json=model).json() == [model]
        assert "gpt-4o" in http.get("/providers/openai").json()["models"]
        assert http.get("/providers/nobody").json() is None
        assert http.post("/models", json={"id": "m"}).status_code == 422


def test_fastapi_describes_them() -> None:
    with client() as http:
        schemas = http.get("/openapi.json").json()["components"]["schemas"]
    assert {"ModelInfo", "ProviderConfig", "Cost", "Limit", "Modalities", "Lifecycle"} <= {*schemas}
    assert {*schemas["ModelInfo"]["properties"]} == {*some()[0].to_dict()}


def test_fastapi_says_which_id_was_meant() -> None:
    with client() as http:
        answer = http.get("/models/openai/gtp-4o")
    assert answer.status_code == 422
    (error,) = answer.json()["detail"]
    assert error["type"] == "unknown_model"
    assert error["loc"] == ["path", "id"]
    assert error["ctx"]["suggestions"][0] == "openai/gpt-4o"
    assert "did you mean 'openai/gpt-4o'" in error["msg"]


# Ids as fields


class Settings(BaseModel):
    model: ModelIdField = "openai/gpt-4o"
    known: KnownModelIdField = "openai/gpt-4o"


def test_an_id_that_the_registry_knows_is_taken_as_it_is() -> None:
    assert (
        Settings(model="groq/openai/gpt-oss-120b", known="openai/gpt-4o").known == "openai/gpt-4o"
    )


def test_a_model_that_is_newer_than_the_registry_is_known_to_nobody_but_possible() -> None:
    assert Settings(model="openai/gpt-99").model == "openai/gpt-99"
    with pytest.raises(ValidationError):
        Settings(known="openai/gpt-99")


@pytest.mark.parametrize("field", ["model", "known"])
@pytest.mark.parametrize(
    ("id", "meant"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("opanai/gpt-4o", "openai/gpt-4o"),
        ("gemini/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("openai:o1", "openai/o1"),
    ],
)
def test_an_id_that_nobody_knows_is_refused_with_what_was_meant(
    field: str, id: str, meant: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({field: id})
    (error,) = caught.value.errors()
    assert error["ctx"]["suggestions"][0] == meant
    assert f"did you mean {meant!r}" in error["msg"]


@pytest.mark.parametrize("field", ["model", "known"])
@pytest.mark.parametrize("id", ["", "/", "openai/", "{hint}", "x" * 10**6])
def test_text_that_is_like_no_id_is_refused_too(field: str, id: str) -> None:
    with pytest.raises(ValidationError, match="no provider has this model"):
        Settings.model_validate({field: id})


def test_the_schema_of_a_field_is_short() -> None:
    schema = Settings.model_json_schema()["properties"]["known"]
    assert schema["type"] == "string"
    assert len(json.dumps(schema)) < 300


def test_only_who_uses_pydantic_imports_it() -> None:
    program = (
        "import sys\n"
        "from registry_core import estimate_cost, find_models, get_provider_config, suggest\n"
        "find_models('gpt', limit=1), suggest('gpt'), estimate_cost('openai/gpt-4o', input=1)\n"
        "get_provider_config('openai').to_dict()\n"
        "assert not {'pydantic', 'pydantic_core'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True)
