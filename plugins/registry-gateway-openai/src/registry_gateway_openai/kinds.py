"""Kinds of servers: how each is recognized, and which details its own API gives.

All answers come from outside. Parts of a wrong shape are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from registry_core import GatewayError, GatewayTimeoutError, OfflineError, UnreachableError

if TYPE_CHECKING:
    from registry_core import GatewayClient

Record = Mapping[str, Any]
#: Id of a model → fields of its record, with the names of `ModelInfo`.
Details = dict[str, dict[str, Any]]

#: Maximum number of models of an Ollama server that are asked for one by one.
MOST_SHOWN = 100


@dataclass(frozen=True)
class Server:
    """One server, while it is asked."""

    id: str
    root: str
    client: GatewayClient
    bearer: str | None

    def get(self, path: str) -> Any:
        """The answer; None if it is an error or not JSON, as from a server of another kind."""
        try:
            return self.client.get_json(self.root + path, bearer=self.bearer)
        except (GatewayTimeoutError, OfflineError, UnreachableError):
            raise  # no server answers
        except GatewayError:
            return None


@dataclass(frozen=True)
class Kind:
    """A kind of server. `read(server, listed)` gives the details of its own API about the models
    whose records in OpenAI's list are `listed`; None if the server is of another kind."""

    title: str
    read: Callable[[Server, Sequence[Record]], Details | None]


# OpenAI's list

#: Our limit → its names in such a list; the first that is present counts.
LIMITS: Mapping[str, tuple[str, ...]] = {
    "context": (
        "max_model_len",  # vLLM, SGLang
        "context_length",  # OpenRouter, Together, Fireworks
        "context_window",  # Groq
        "max_context_length",  # Mistral
    ),
    "input": ("max_input_tokens",),  # LiteLLM
    "output": ("max_output_tokens", "max_completion_tokens"),  # LiteLLM, Groq
}

#: Values of LiteLLM's `mode` that are kinds of ours.
_MODES = ("chat", "completion", "embedding", "moderation", "rerank")


def listed_fields(record: Record) -> dict[str, Any]:
    """The fields in a model's record of the list, for any kind of server."""
    mode = record.get("mode")
    fields: dict[str, Any] = {"limit": _limit(record), "kind": mode if mode in _MODES else None}
    architecture = _object(record.get("architecture"))  # as OpenRouter has it, and llama.cpp
    inputs, outputs = architecture.get("input_modalities"), architecture.get("output_modalities")
    if _is_array(inputs):
        fields |= _takes(inputs)
    if _is_array(outputs):
        fields["modalities"] = {**fields.get("modalities", {}), "output": outputs}
    return fields


def _limit(record: Record) -> dict[str, Any]:
    return {ours: _first(record, *names) for ours, names in LIMITS.items()}


def _read_openai(server: Server, listed: Sequence[Record]) -> Details | None:
    return {}


def _read_vllm(server: Server, listed: Sequence[Record]) -> Details | None:
    return {} if _owned_by("vllm", listed) else None


def _read_sized(server: Server, listed: Sequence[Record]) -> Details | None:
    """A server whose list has sizes is asked for nothing else."""
    return {} if any(any(_limit(record).values()) for record in listed) else None


# llama.cpp

_MEDIA = {"vision": "image"}


def _read_llama_cpp(server: Server, listed: Sequence[Record]) -> Details | None:
    """A server with one model describes it at `/props`. A router is not asked about each model,
    since that would load the model."""
    if not _owned_by("llamacpp", listed):
        return None
    props = server.get("/props") if len(listed) == 1 else None
    if not _is_object(props) or props.get("role") == "router":
        props = {}
    media = _object(props.get("modalities"))
    slot = _object(props.get("default_generation_settings"))
    caps = _object(props.get("chat_template_caps"))
    details: Details = {}
    for record in listed:
        meta = _object(record.get("meta"))
        own = _context(slot.get("n_ctx") or meta.get("n_ctx"), meta.get("n_ctx_train"))
        own["extra"] |= _known(
            quantization=props.get("model_ftype") or meta.get("ftype"),
            parameters=meta.get("n_params"),
        )
        if media:
            own |= _takes(
                ["text", *(_MEDIA.get(name, name) for name in media if media[name] is True)]
            )
        if caps.get("supports_tool_calls") is True:  # some work without the template's help
            own["tool_call"] = True
        details[record["id"]] = own
    return details


# LM Studio

_LM_STUDIO_TYPES = {"llm": "chat", "vlm": "chat", "embeddings": "embedding"}


def _read_lm_studio(server: Server, listed: Sequence[Record]) -> Details | None:
    records = _objects(_object(server.get("/api/v0/models")).get("data"))
    if not any("state" in record for record in records):
        return None  # LM Studio answers any path, with an error and status 200
    details: Details = {}
    for record in records:
        id, type = record.get("id"), record.get("type")
        if not isinstance(id, str):
            continue
        loaded = record.get("loaded_context_length") if record.get("state") == "loaded" else None
        own = details[id] = _context(loaded, record.get("max_context_length"))
        own["family"] = record.get("arch") or None
        own["extra"] |= _known(
            quantization=record.get("quantization"),
            format=record.get("compatibility_type"),
            publisher=record.get("publisher"),
        )
        if isinstance(type, str) and type in _LM_STUDIO_TYPES:
            own["kind"] = _LM_STUDIO_TYPES[type]
            own |= _takes(["text", "image"] if type == "vlm" else ["text"])
        abilities = record.get("capabilities")
        if _is_array(abilities):
            own["tool_call"] = "tool_use" in abilities
    return details


# Ollama

#: Ollama's chat API accepts every model with "completion".
_OLLAMA_KINDS = {"completion": "chat", "embedding": "embedding"}
#: Blanks within one line only; across lines the search would take quadratic time.
_NUM_CTX = re.compile(r"^[^\S\n]*num_ctx[^\S\n]+([0-9]{1,12})[^\S\n]*$", re.MULTILINE)


def _read_ollama(server: Server, listed: Sequence[Record]) -> Details | None:
    tags = server.get("/api/tags")
    if not _is_object(tags) or "models" not in tags:
        return None
    tagged = {
        name: _object(record.get("details"))
        for record in _objects(tags["models"])
        if isinstance(name := record.get("name"), str)
    }
    details: Details = {id: _ollama(details, {}) for id, details in tagged.items()}
    failed: dict[str, str] = {}
    ids = list(dict.fromkeys(record["id"] for record in listed))
    lost = "" if len(ids) <= MOST_SHOWN else f"only the first {MOST_SHOWN} models were asked about"
    for number, id in enumerate(ids[:MOST_SHOWN]):
        try:
            shown = server.client.post_json(
                f"{server.root}/api/show", json={"model": id}, bearer=server.bearer
            )
        except GatewayTimeoutError:  # keep what is known so far
            lost = f"no time was left to ask about more than {number} models"
            break
        except (OfflineError, UnreachableError):
            raise
        except GatewayError as error:
            failed[id] = error.message
        else:
            details[id] = _ollama(tagged.get(id, {}), _object(shown))
    if len(failed) == len(ids):
        return None  # another server that imitates Ollama, without details
    for id, message in failed.items():
        server.client.warn(f"{server.id}/{id}", f"what it can do is unknown: /api/show {message}")
    if lost:
        server.client.warn(server.id, f"{lost}: what the others can do is unknown")
    return details


def _ollama(tagged: Record, shown: Record) -> dict[str, Any]:
    details = {**tagged, **_known(**_object(shown.get("details")))}
    info = _object(shown.get("model_info"))
    trained = info.get(f"{info.get('general.architecture')}.context_length")
    own = _context(_num_ctx(shown.get("parameters")), trained)
    own["family"] = details.get("family") or None
    own["extra"] |= _known(
        quantization=details.get("quantization_level"),
        format=details.get("format"),
        parameters=info.get("general.parameter_count"),
        parameter_size=details.get("parameter_size"),
    )
    abilities = shown.get("capabilities")
    if _is_array(abilities):
        kinds = (kind for ability, kind in _OLLAMA_KINDS.items() if ability in abilities)
        own |= {
            "kind": next(kinds, None),
            "tool_call": "tools" in abilities,
            "reasoning": "thinking" in abilities,
            **_takes(["text", "image"] if "vision" in abilities else ["text"]),
        }
    return own


def _num_ctx(parameters: Any) -> int | None:
    """The context that the model's file sets, in a line such as "num_ctx   8192"."""
    match = _NUM_CTX.search(parameters) if isinstance(parameters, str) else None
    return int(match[1]) if match else None


# Text Generation Inference


def _read_tgi(server: Server, listed: Sequence[Record]) -> Details | None:
    info = _object(server.get("/info"))
    given = _first(info, "max_input_tokens", "max_input_length")
    if "model_id" not in info or (given is None and "max_total_tokens" not in info):
        return None
    fields = {
        "limit": {"context": info.get("max_total_tokens"), "input": given},
        "extra": _known(dtype=info.get("model_dtype")),
    }
    return {record["id"]: dict(fields) for record in listed}


#: Kind → how it is read.
KINDS: Mapping[str, Kind] = {
    "llama.cpp": Kind("llama.cpp", _read_llama_cpp),
    "vllm": Kind("vLLM", _read_vllm),
    "lmstudio": Kind("LM Studio", _read_lm_studio),
    "ollama": Kind("Ollama", _read_ollama),
    "tgi": Kind("Text Generation Inference", _read_tgi),
    "openai": Kind("OpenAI-compatible", _read_openai),
}
#: The kinds that are tried if the user named none. The first three need no further request. LM
#: Studio is next, since it logs an error for each path that it doesn't know.
TRIED = (
    KINDS["llama.cpp"],
    KINDS["vllm"],
    Kind(KINDS["openai"].title, _read_sized),
    KINDS["lmstudio"],
    KINDS["ollama"],
    KINDS["tgi"],
    KINDS["openai"],
)


# Reading


def _owned_by(owner: str, listed: Sequence[Record]) -> bool:
    return any(record.get("owned_by") == owner for record in listed)


def _context(served_context: Any, trained: Any) -> dict[str, Any]:
    """The limit is the context of the server; the context of the training is kept in `extra`."""
    other = trained if served_context and served_context != trained else None
    return {"limit": {"context": served_context or trained}, "extra": _known(trained_context=other)}


def _takes(given: Sequence[Any]) -> dict[str, Any]:
    """The fields of a model that takes these modalities."""
    return {
        "modalities": {"input": list(given)},
        "attachment": any(modality != "text" for modality in given) if given else None,
    }


def _first(record: Record, *names: str) -> Any:
    return next((value for name in names if (value := record.get(name)) is not None), None)


def _known(**values: Any) -> dict[str, Any]:
    """The known values: servers send "" and 0 for unknown ones."""
    return {name: value for name, value in values.items() if value}


def _object(value: Any) -> Record:
    return value if _is_object(value) else {}


def _objects(value: Any) -> list[Record]:
    return [item for item in value if _is_object(item)] if _is_array(value) else []


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
