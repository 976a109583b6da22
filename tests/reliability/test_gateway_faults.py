"""Every way that a gateway can fail, through a whole sync against a real server.

After each: the report says so, the last good data is served with its age, the other
gateway's fresh data is used, and nothing of the fault is kept as data.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from attrs import fields_dict
from hypothesis import example, given, settings, strategies as st
from registry_gateway_litellm import LiteLLMGateway
from registry_gateway_models_dev import ModelsDevGateway
from registry_gateway_netlify import NetlifyGateway
from registry_gateway_openrouter import OpenRouterGateway

from registry_core import ModelGateway, ModelInfo, PluginSettings, SyncReport
from registry_core._base.printable import printable
from registry_core._sync.options import Options
from registry_core._sync.sync import Result
from tests.loopback import Loopback, Reply
from tests.reliability.conftest import PROOF
from tests.reliability.faults import GOOD, LIMITS, PAGE, faults, limits
from tests.reliability.shell import Shell, by_provider
from tests.world import NOW, JsonGateway, Plugin, World

FAULTS = tuple(faults(Event()))


@pytest.fixture
def gate() -> Iterator[Event]:
    gate = Event()
    yield gate
    gate.set()


def made_well(world: World) -> World:
    """Both gateways have been fetched; whatever `main` sends an hour later is a fault."""
    world.gateway("main")
    world.gateway("second")
    world.serve("main", GOOD, etag='"good"')
    world.serve("second", {"other": ["x"]})
    world.server.route("/page", Reply(200, PAGE))
    assert world.sync().ok
    world.now += 3600
    world.serve("second", {"other": ["new", "x"]})
    return world


@pytest.fixture
def well(world: World) -> World:
    return made_well(world)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One store for all faults: none may harm it, so none can harm the next test."""
    with Loopback() as server:
        yield made_well(World(tmp_path_factory.mktemp("lasting"), server))


def assert_nothing_was_lost(world: World, report: SyncReport, words: str) -> None:
    """`main` failed and says why; its last good data, and what is new in `second`, are there."""
    main, second = report.gateways
    assert not report.ok
    assert (main.status, main.source, main.models) == ("failed", "stored", 10)
    assert main.retrieved_at is not None
    assert main.retrieved_at.timestamp() == NOW
    assert main.error
    assert re.search(words, main.error), main.error
    assert main.error.isprintable()
    assert (second.status, second.source) == ("fresh", "fetched")
    json.dumps(report.to_dict())
    served = {"openai": tuple(GOOD["openai"]), "other": ("new", "x")}
    assert dict(world.models()) == served
    published = json.loads((world.store.place / "provider-registry.json").read_text())
    assert published["models"] == {id: list(models) for id, models in served.items()}
    state = world.store.read_state()
    assert state.gateways["main"].retrieved_at == NOW
    assert state.gateways["main"].error == main.error
    assert state.last_refresh == NOW  # when all were reached


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_neither_the_last_good_data_nor_the_others(
    lasting: World, gate: Event, fault: str
) -> None:
    answer, words = faults(gate)[fault]
    lasting.server.route("/main.json", answer)
    lasting.now += 60
    assert_nothing_was_lost(lasting, lasting.sync(**limits(fault)), words)
    for body in payloads(lasting):  # what is no JSON is not kept, not even raw
        json.loads(body)


def payloads(world: World) -> set[bytes]:
    files = (world.tmp_path / "cache").rglob("*.payload")
    return {path.read_bytes().partition(b"\n")[2] for path in files}


FLEET = """
class Member(ModelGateway):
    namespaced = False
    def __init__(self, number, base):
        self.id = self.name = f"g{number}"
        self.url = f"{base}/{number}"
    def fetch_providers(self, client):
        return {self.id: ProviderConfig(self.id, client.get_json(self.url)["openai"])}

@hookimpl
def registry_gateways(settings):
    return [Member(number, settings.options["base"]) for number in range(settings.options["count"])]
"""


@pytest.mark.slow
def test_all_faults_at_once_leave_the_command_line_truthful(
    shell: Shell, server: Loopback, gate: Event
) -> None:
    """A gateway per fault and one that works, in one `registry-core sync`."""
    shell.install("fleet", FLEET)
    shell.options({"fleet": f'base = "{server.url()[:-1]}"\ncount = {len(FAULTS) + 1}'})
    for number in range(len(FAULTS) + 1):
        server.serve(f"/{number}", GOOD)
    server.route("/page", Reply(200, PAGE))
    assert shell.run("sync").status == 0
    for number, (answer, _) in enumerate(faults(gate).values()):
        server.route(f"/{number}", answer)
    last = len(FAULTS)
    server.serve(f"/{last}", {"openai": [*GOOD["openai"], "gpt-new"]})
    server.route("/main.json", Reply(302, headers={"Location": "/main.json"}))
    strict = {"FETCH_DEADLINE_MS": "5000", "FETCH_MAX_BYTES": "200000", "SHRINK_LIMIT": "0.5"}

    done = shell.run("sync", **{f"REGISTRY_CORE_{name}": value for name, value in strict.items()})

    assert done.status == 1
    rows = dict(re.findall(r"^(g\d+) +(\w+)", done.out, re.MULTILINE))
    assert rows.pop(f"g{last}") == "fresh"
    assert rows == {f"g{number}": "failed" for number in range(last)}
    complaints = re.findall(r"^error: (g\d+): \S", done.err, re.MULTILINE)
    assert len(complaints) == last
    assert "stored, of" in done.out
    models = by_provider(shell.run("list", "gpt", "--json").out)
    assert all(len(models[f"g{number}"]) == 10 for number in range(last))
    assert len(models[f"g{last}"]) == 11
    doctor = shell.run("doctor", "--json")
    assert doctor.status == 1
    about = json.loads(doctor.out)["gateways"]
    assert all(about[id]["error"] and about[id]["retrieved_at"] for id in rows)


@pytest.mark.parametrize(
    "fault",
    ["cuts its answer off", "status 500", "an HTML page", "null", "less than half of the models"],
)
def test_a_failure_is_no_success_the_second_time_and_ends_with_its_cause(
    well: World, gate: Event, fault: str
) -> None:
    answer, words = faults(gate)[fault]
    well.server.route("/main.json", answer)
    for _ in range(3):
        well.now += 60
        assert_nothing_was_lost(well, well.sync(**LIMITS), words)
    well.serve("main", {"openai": [*GOOD["openai"], "gpt-new"]}, etag='"new"')
    assert well.sync().ok
    assert len(well.models()["openai"]) == 11


def test_a_gateway_that_is_gone_is_a_failure_like_any_other(world: World) -> None:
    with Loopback() as mortal:
        mortal.serve("/main.json", GOOD, etag='"good"')
        world.plugins.append(Plugin(JsonGateway("main", mortal.url("/main.json"))))
        world.gateway("second")
        world.serve("second", {"other": ["x"]})
        assert world.sync().ok
    world.now += 3600
    world.serve("second", {"other": ["new", "x"]})
    assert_nothing_was_lost(world, world.sync(**LIMITS), "can't be reached: Connection refused")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs the memory of a child")
def test_500_megabytes_cost_neither_memory_nor_data(shell: Shell, server: Loopback) -> None:
    """With the default limit of 64 MiB."""
    import resource

    # The most that any child of this process had until now: those of other tests count, too.
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    shell.plugins.append("registry-gateway-models-dev")
    shell.environ["REGISTRY_CORE_MODELS_DEV_URL"] = server.url("/api.json")
    size = 500 * 2**20
    headers = {"Content-Length": str(size)}
    body = (b" " * 2**20 for _ in range(size // 2**20))
    server.route("/api.json", Reply(200, body, headers))
    done = shell.run("sync")
    assert done.status == 1
    assert "sent more than 64 MiB" in done.err
    assert shell.run("show", "openai/gpt-4o").status == 0
    most = max(before, 400 * 1024)  # KiB
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= most


def test_a_server_that_asks_for_patience_gets_it(well: World) -> None:
    busy = {"Retry-After": "0"}
    answers = iter([Reply(429, headers=busy), Reply(503, headers=busy)])
    body = json.dumps({"openai": [*GOOD["openai"], "gpt-new"]}).encode()
    well.server.route("/main.json", lambda request: next(answers, Reply(200, body)))
    report = well.sync(fetch_retries=2)
    assert report.ok
    assert len(well.models()["openai"]) == 11


@pytest.mark.parametrize("kind", ["text/html", "image/png", "", "application/json; charset=latin1"])
def test_data_is_data_whatever_its_content_type_says(well: World, kind: str) -> None:
    body = json.dumps({"openai": [*GOOD["openai"], "gpt-new"]}).encode()
    well.server.route("/main.json", Reply(200, body, {"Content-Type": kind}))
    assert well.sync().ok
    assert len(well.models()["openai"]) == 11


def test_what_can_be_salvaged_is_used(world: World) -> None:
    """A byte order mark, NaN, numbers without end, and a key that is there twice: the last
    one counts, as for every JSON parser that people use."""
    world.plugins.append(Plugin(ModelsDevGateway(world.server.url("/api.json"))))
    body = b"""\xef\xbb\xbf{"acme": {"models": {"lost": {}}}, "acme": {"models": {
        "gpt": {"cost": {"input": NaN, "output": 2.5}, "limit": {"context": 1e999}}}}}"""
    world.server.route("/api.json", Reply(200, body))
    assert world.sync().gateways[1].status == "fresh"
    model = world.registry().get_model("acme/gpt")
    assert model is not None
    assert model.cost is not None
    assert (model.cost.input, model.cost.output, model.limit.context) == (None, 2.5, None)
    assert world.registry().get_model("acme/lost") is None


MODEL: dict[str, Any] = {
    "name": "A",
    "family": "a",
    "status": "beta",
    "attachment": True,
    "reasoning": False,
    "tool_call": True,
    "structured_output": True,
    "temperature": True,
    "open_weights": False,
    "knowledge": "2025-01",
    "release_date": "2025-02-03",
    "last_updated": "2025-02",
    "limit": {"context": 9, "input": 8, "output": 7},
    "cost": {
        "input": 1.0,
        "output": 2.0,
        "reasoning": 3.0,
        "cache_read": 0.5,
        "cache_write": 0.25,
        "input_audio": 1.5,
        "output_audio": 2.5,
        "tiers": [{"input": 4.0}],
    },
    "modalities": {"input": ["text"], "output": ["text"]},
    "provider": {"api": "https://a.example/v1", "npm": "@ai-sdk/openai", "shape": "responses"},
    "new_field": {"of": ["tomorrow"]},
}
PROVIDER: dict[str, Any] = {
    "id": "acme",
    "name": "Acme",
    "env": ["ACME_API_KEY"],
    "npm": "@ai-sdk/openai-compatible",
    "api": "https://acme.example/v1",
    "doc": "https://acme.example/docs",
}
WRONG = (None, True, 3, -1, 2**80, 1e308, "text", "", [], [None], [{}], {}, {"a": [{"b": None}]})


def variants(record: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Each field at each depth, once with each wrong value."""
    for key, value in record.items():
        for wrong in WRONG:
            yield (key,), {**record, key: wrong}
        if isinstance(value, dict):
            for path, changed in variants(value):
                yield (key, *path), {**record, key: changed}


FIELDS = fields_dict(ModelInfo).keys() - {"id", "provider_id", "extra"}


def same(one: ModelInfo, other: ModelInfo, but: str = "") -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in FIELDS - {but})


def test_a_wrong_type_in_any_field_costs_that_field_alone(world: World) -> None:
    """520 cases in one payload; data lost: none."""
    world.plugins.append(Plugin(ModelsDevGateway(world.server.url("/api.json"))))
    models, providers = [*variants(MODEL)], [*variants(PROVIDER)]
    payload: dict[str, Any] = {"well": {**PROVIDER, "models": {"m": MODEL}}}
    for number, (_, record) in enumerate(models):
        payload[f"m{number}"] = {**PROVIDER, "models": {"m": MODEL, "x": record}}
    for number, (_, record) in enumerate(providers):
        payload[f"p{number}"] = {**record, "models": {"m": MODEL}}
    world.serve("api", payload)
    report = world.sync()
    assert report.ok
    assert report.problems[-1].message.startswith("and ")  # each is named, then counted
    served = world.registry().get_providers()
    whole = served["well"].models["m"]
    lost = [id for id in payload if id not in served or not same(served[id].models["m"], whole)]
    for number, (path, _) in enumerate(models):
        own = served[f"m{number}"].models["x"]
        lost += [] if same(own, whole, but=path[0]) else [str(path)]
    assert lost == []
    assert len(models) + len(providers) == 520


BAD_PROVIDERS: dict[str, Any] = {
    "null": None,
    "true": True,
    "three": 3,
    "text": "x",
    "list": [],
    "empty": {},
    "": {"models": {"m": {}}},
    "/": {"models": {"m": {}}},
    "/first": {"models": {"m": {}}},
    "last/": {"models": {"m": {}}},
    "a\0b": {"models": {"m": {}}},
    "a\ud800b": {"models": {"m": {}}},
    "a" * 9000: {"models": {"m": {}}},
    **{f"models-{value!r}": {"models": value} for value in (None, 3, "text", {}, [None], [[]])},
    **{f"model-{value!r}": {"models": {"m": value}} for value in (None, 3, "text", [])},
    **{f"id-{id[:9]!r}": {"models": {id: {}}} for id in ("", "a\0b", "\udfff", "a" * 9000)},
}


def test_a_bad_provider_among_good_ones_is_dropped_alone_and_named(world: World) -> None:
    world.plugins.append(Plugin(ModelsDevGateway(world.server.url("/api.json"))))
    good = {f"good{number}": {**PROVIDER, "models": {"m": MODEL}} for number in range(30)}
    world.serve("api", {**good, **BAD_PROVIDERS})
    report = world.sync()
    assert report.ok
    assert world.registry().get_models().keys() == {*good, "openai", "other"}
    told = [one.culprit.removeprefix("models.dev: ") for one in report.problems]
    for id in BAD_PROVIDERS:
        assert any(one.startswith(printable(id)[:200]) for one in told), id


TEXT = st.text(st.characters(exclude_categories=()), max_size=6) | st.sampled_from(
    ["openai", "__proto__", "../x", "a/b", "\x1b[2J", "\u202e", "con", "${HOME}", "*/", "'", '"']
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def like(record: Any) -> st.SearchStrategy[Any]:
    """`record`, with anything in place of any part of it."""
    if isinstance(record, dict):
        parts = {key: like(value) for key, value in record.items()}
        whole: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=parts)
        return whole | st.dictionaries(TEXT, st.one_of(*parts.values()), max_size=4) | ANYTHING
    if isinstance(record, list):
        parts = st.one_of(*map(like, record))
        return st.just(record) | st.lists(parts, max_size=3) | ANYTHING
    return st.just(record) | ANYTHING


OPENROUTER_MODEL = {
    "id": "acme/m",
    "created": 1_767_225_600,
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]},
    "pricing": {"prompt": "0.0000025", "completion": "-1", "image": "0"},
    "top_provider": {"max_completion_tokens": 7},
    "supported_parameters": ["tools"],
    "expiration_date": "2027-01-01",
}
LITELLM_DEPLOYMENT = {
    "model_name": "fast",
    "litellm_params": {"model": "openai/large"},
    "model_info": {
        "mode": "chat",
        "max_input_tokens": 7,
        "input_cost_per_token": 1.5e-07,
        "input_cost_per_token_above_200k_tokens": 3e-07,
        "input_cost_per_query": 0.0,
        "pricing_overrides": ["input_cost_per_token"],
        "supports_vision": True,
        "supported_output_modalities": ["text"],
        "deprecation_date": "2027-01-01",
        "team_id": "t1",
        "team_public_model_name": "ours",
        "blocked": False,
    },
}


class Proxy(LiteLLMGateway):
    """A proxy that is asked as if it were not on this machine."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.volatile = False

    def should_enable(self, settings: PluginSettings) -> bool:
        return True


PAYLOADS: dict[str, tuple[Callable[[str], ModelGateway], Any]] = {
    "any gateway": (lambda url: JsonGateway("main", url), {"p": ["m"]}),
    "litellm": (Proxy, {"data": [LITELLM_DEPLOYMENT, LITELLM_DEPLOYMENT]}),
    "models.dev": (ModelsDevGateway, {"p": {**PROVIDER, "models": {"m": MODEL}}}),
    "netlify": (NetlifyGateway, {"providers": {"openai": {"models": ["m"]}}}),
    "openrouter": (OpenRouterGateway, {"data": [OPENROUTER_MODEL], "total_count": 1}),
}


def assert_whatever_arrives_is_survived(world: World, kind: str, examples: int) -> None:
    make, record = PAYLOADS[kind]
    gateway = make(world.server.url("/main.json"))
    world.plugins.append(Plugin(gateway))
    world.gateway("second")
    server, served = world.server, 0

    def sync(body: bytes, **options: Any) -> Result:
        nonlocal served
        served += 1
        world.now += 60
        for path in ("", "/model/info", "/v1/models"):
            server.route(f"/main.json{path}", Reply(200, body))
        world.serve("second", {"other": [f"x{served}"]})
        return world.result(Options(**options), fetch_retries=0)

    @settings(PROOF, max_examples=examples)
    @given(like(record))
    @example({"p": {**PROVIDER, "doc": "", "models": {"m": {}}}})  # an empty text is stored as one
    def prove(payload: Any) -> None:
        assert sync(json.dumps(record).encode(), accept=[gateway.id]).report.ok
        good = {id: one for id, one in world.models().items() if id != "other"}
        result = sync(json.dumps(payload).encode())
        report = result.report
        (main,) = (one for one in report.gateways if one.id == gateway.id)
        assert main.status in ("fresh", "failed")
        assert report.ok == (main.status == "fresh")
        stored = world.registry().snapshot()
        stored.verify()
        assert dict(stored.get_providers()) == dict(result.snapshot.get_providers())
        assert stored.get_models()["other"] == (f"x{served}",)
        if main.status == "failed":
            assert {id: stored.get_models()[id] for id in good} == good
        assert {one.kind for one in report.problems} <= {"record", "merge"}
        json.dumps(report.to_dict(), ensure_ascii=False).encode()
        published = json.loads((world.store.place / "provider-registry.json").read_text())
        assert (
            published["models"].items()
            <= {id: list(models) for id, models in stored.get_models().items()}.items()
        )
        ast.parse((world.store.place / "registry_core_types.pyi").read_text())

    prove()


@pytest.mark.parametrize("kind", PAYLOADS)
def test_whatever_json_arrives_is_used_or_reported(world: World, kind: str) -> None:
    assert_whatever_arrives_is_survived(world, kind, examples=15)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAYLOADS)
def test_whatever_json_arrives_is_used_or_reported_at_length(world: World, kind: str) -> None:
    assert_whatever_arrives_is_survived(world, kind, examples=300)
