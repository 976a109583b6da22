"""The snapshot: lookups, immutability, and what damage to its bytes does."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest

from registry_core import (
    ModelInfo,
    ModelRegistry,
    ProviderConfig,
    Snapshot,
    SnapshotDamagedError,
)
from registry_core._catalog.ids import parse_model_string
from registry_core._catalog.writing import encode


def build(**models: list[str]) -> Snapshot:
    return Snapshot.build([ProviderConfig(id=id, models=ids) for id, ids in models.items()])


@pytest.fixture
def rich() -> Snapshot:
    model = ModelInfo(
        id="gpt-4o",
        provider_id="openai",
        name="GPT-4o",
        attachment=True,
        reasoning=False,
        status="deprecated",
        limit={"context": 128_000, "output": 0},
        cost={"input": 2.5, "output": 10, "tiers": [{"tier": {"size": 1}, "input": 5}]},
        modalities={"input": ["text", "image"], "output": ["text"]},
        extra={"description": "naïve “text”", "options": [{"a": None}, True, 1.5]},
    )
    providers = [
        ProviderConfig(
            id="openai",
            models={"gpt-4o": model},
            name="OpenAI",
            gateway="models.dev",
            api_key_env_vars="OPENAI_API_KEY",
            model_overrides={"gpt-4o": {"shape": "responses"}},
        ),
        ProviderConfig(id="bare", models=["a", "b/c"]),
    ]
    return Snapshot.build(providers, {"models.dev": "plugin 1.0"})


def stored(snapshot: Snapshot, tmp_path: Path) -> Snapshot:
    path = tmp_path / "snapshot"
    path.write_bytes(snapshot.to_bytes())
    return Snapshot.open(path)


def test_what_was_built_is_what_is_read_back(rich: Snapshot, tmp_path: Path) -> None:
    again = stored(rich, tmp_path)
    assert again.get_providers() == rich.get_providers()
    assert again.get_model("openai/gpt-4o") == rich.get_providers()["openai"].models["gpt-4o"]
    assert again.gateways == {"models.dev": "plugin 1.0"}
    assert again.get_provider_config("openai").deprecated_models == ("gpt-4o",)  # type: ignore[union-attr]


def test_what_was_made_once_is_given_again(rich: Snapshot, tmp_path: Path) -> None:
    for one in (rich, stored(rich.with_roles({"fast": "bare/a"}), tmp_path)):
        for _ in range(2):
            assert one.get_providers() is one.get_providers()
            assert one.get_models() is one.get_models()
            assert one.roles is one.roles
            assert one.get_providers()["openai"] is one.get_provider_config("openai")
            assert one.get_model("openai/gpt-4o") is one.get_model("openai/gpt-4o")
            assert one.get_model("fast") is one.get_model("fast")


def test_the_same_content_gives_the_same_bytes_whatever_its_order(rich: Snapshot) -> None:
    providers = list(rich.get_providers().values())
    again = Snapshot.build(reversed(providers), rich.gateways)
    assert again.to_bytes() == rich.to_bytes()
    assert again == rich
    assert hash(again) == hash(rich)


def test_nor_does_the_order_of_gateways_or_of_the_keys_in_a_record_change_a_byte() -> None:
    def of(*order: str) -> Snapshot:
        overrides = {"m": dict.fromkeys(order, "x")}
        provider = ProviderConfig(id="acme", models=["m"], model_overrides=overrides)
        return Snapshot.build([provider], dict.fromkeys(order, "plugin"))

    assert of("api", "npm").to_bytes() == of("npm", "api").to_bytes()


def test_rebuilding_from_a_stored_snapshot_keeps_the_hash(rich: Snapshot, tmp_path: Path) -> None:
    again = stored(rich, tmp_path)
    assert again.with_providers(again.get_providers()) == rich


def test_unknown_stays_unknown_and_zero_limits_are_unknown(rich: Snapshot) -> None:
    model = rich.get_model("bare/a")
    assert model is not None
    assert (model.attachment, model.cost, model.limit.context) == (None, None, None)
    known = rich.get_model("openai/gpt-4o")
    assert known is not None
    assert (known.reasoning, known.limit.output) == (False, None)


def test_it_survives_pickle_and_copy(rich: Snapshot) -> None:
    for again in (pickle.loads(pickle.dumps(rich)), copy.copy(rich), copy.deepcopy(rich)):
        assert again == rich
        assert again.get_models() == {"bare": ("a", "b/c"), "openai": ("gpt-4o",)}


def test_a_provider_of_a_stored_snapshot_survives_pickle(rich: Snapshot, tmp_path: Path) -> None:
    provider = stored(rich, tmp_path).get_provider_config("openai")
    assert pickle.loads(pickle.dumps(provider)) == provider


def test_nothing_that_it_hands_out_can_be_changed(rich: Snapshot, tmp_path: Path) -> None:
    snapshot = stored(rich, tmp_path)
    model = snapshot.get_model("openai/gpt-4o")
    assert model is not None
    for attempt in (
        lambda: model.extra.update(x=1),  # type: ignore[attr-defined]
        lambda: model.extra["options"][0].pop("a"),
        lambda: snapshot.get_providers().clear(),  # type: ignore[attr-defined]
        lambda: snapshot.get_models().__setitem__("x", ()),  # type: ignore[attr-defined]
        lambda: setattr(model, "name", "x"),
        lambda: setattr(model.limit, "context", 1),
    ):
        with pytest.raises((TypeError, AttributeError)):
            attempt()


def test_unknown_ids_are_none(rich: Snapshot) -> None:
    for id in (
        "",
        "/",
        "openai",
        "openai/",
        "/gpt-4o",
        "openai/nope",
        "nope/gpt-4o",
        "a\0b/\ud800",
    ):
        assert rich.get_model(id) is None
    assert rich.get_provider_config("openai/gpt-4o") is None
    assert not rich.is_provider_registered("nope")


def test_the_longest_provider_that_has_the_model_wins() -> None:
    snapshot = Snapshot.build(
        [
            ProviderConfig(id="a", models=["b/c", "b/only-a"]),
            ProviderConfig(id="a/b", models=["c"]),
        ]
    )
    assert snapshot.split("a/b/c") == ("a/b", "c")
    assert snapshot.get_model("a/b/c").provider_id == "a/b"  # type: ignore[union-attr]
    assert snapshot.get_providers()["a"].models["b/c"].provider_id == "a"
    assert snapshot.split("a/b/only-a") == ("a", "b/only-a")
    assert snapshot.split("a/b/unknown") == ("a/b", "unknown")
    assert snapshot.split("x/b/c") == ("x", "b/c")
    assert snapshot.split("a/b") == ("a", "b")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("openai/gpt", ("openai", "gpt")),
        ("a/b/c", ("a", "b/c")),
        ("gpt", (None, "gpt")),
        ("/gpt", (None, "/gpt")),
        ("openai/", (None, "openai/")),
        ("", (None, "")),
    ],
)
def test_a_model_string_is_split_at_its_first_slash(
    text: str, parts: tuple[str | None, str]
) -> None:
    assert parse_model_string(text) == parts


def test_an_empty_snapshot_works(tmp_path: Path) -> None:
    snapshot = stored(Snapshot.build([]), tmp_path)
    assert snapshot.get_models() == {}
    assert snapshot.get_model("a/b") is None


def test_damage_at_any_byte_is_noticed_or_harmless(rich: Snapshot) -> None:
    """Every single byte flipped: a lookup gives the truth or says that it can't."""
    truth = {id: rich.get_model(id) for id in ("openai/gpt-4o", "bare/a", "bare/b/c", "no/no")}
    data = rich.to_bytes()
    noticed = 0
    for offset in range(len(data)):
        bad = bytearray(data)
        bad[offset] ^= 0xFF
        try:
            damaged = Snapshot.from_bytes(bytes(bad))
            for id, model in truth.items():
                assert damaged.get_model(id) == model
            assert damaged.get_models() == rich.get_models()
        except SnapshotDamagedError:
            noticed += 1
    assert noticed > len(data) * 0.8


def test_verify_notices_every_flipped_byte(rich: Snapshot) -> None:
    data = rich.to_bytes()
    for offset in range(0, len(data), 7):
        bad = bytearray(data)
        bad[offset] ^= 0x01
        with pytest.raises(SnapshotDamagedError):
            Snapshot.from_bytes(bytes(bad)).verify()


def test_a_zeroed_block_is_no_unknown_model(rich: Snapshot) -> None:
    """Disks lose whole blocks: an index that reads as zeros must not answer "no such model"."""
    data = rich.to_bytes()
    zeroed = data[:68] + bytes(len(data) - 68)
    with pytest.raises(SnapshotDamagedError):
        Snapshot.from_bytes(zeroed).get_model("openai/gpt-4o")


@pytest.mark.parametrize("size", [0, 1, 67, 68, 100, -1])
def test_a_truncated_file_is_damaged(rich: Snapshot, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut"
    path.write_bytes(rich.to_bytes()[:size])
    with pytest.raises(SnapshotDamagedError, match="sync"):
        Snapshot.open(path)


def test_a_newer_schema_is_named(rich: Snapshot) -> None:
    header = bytearray(rich.to_bytes()[:68])
    header[8] = 9
    header[-4:] = crc32(header[:-4]).to_bytes(4, "little")
    with pytest.raises(SnapshotDamagedError, match="schema 9"):
        Snapshot.from_bytes(bytes(header) + rich.to_bytes()[68:])


def test_a_gateways_share_is_read_from_the_directory(rich: Snapshot, tmp_path: Path) -> None:
    for snapshot in (rich, stored(rich, tmp_path)):
        assert snapshot.count() == (2, 3)
        assert snapshot.count("models.dev") == (1, 1)
        assert snapshot.count("models.dev", "") == (1, 1)
        assert snapshot.count("nobody") == (0, 0)
        assert snapshot.providers_of("nobody") == {}
        mine = snapshot.providers_of("models.dev")
        assert mine == {"openai": snapshot.get_provider_config("openai")}


def test_flags_and_ids_are_the_same_built_and_stored(rich: Snapshot, tmp_path: Path) -> None:
    again = stored(rich, tmp_path)
    flags = {id: dict(models) for id, models in again.flags()}
    assert flags == {id: dict(models) for id, models in rich.flags()}
    assert {id: tuple(models) for id, models in flags.items()} == again.get_models()
    assert flags["bare"] == {"a": 0, "b/c": 0}
    assert flags["openai"]["gpt-4o"]


def test_its_lines_are_all_its_records(rich: Snapshot, tmp_path: Path) -> None:
    again = stored(rich, tmp_path)
    lines = [json.loads(line) for line in again.lines()]
    assert sorted((provider, model or "") for provider, model, _ in lines) == [
        ("bare", ""),
        ("bare", "a"),
        ("bare", "b/c"),
        ("openai", ""),
        ("openai", "gpt-4o"),
    ]
    for provider, model, record in lines:
        assert json.loads(again.record(provider, model) or b"") == record
    assert again.record("openai", "nope") is None


def test_a_provider_is_unlike_if_it_or_a_model_differs(rich: Snapshot, tmp_path: Path) -> None:
    changed = [ProviderConfig(id="bare", models=["a"]), ProviderConfig(id="zoo", models=["m"])]
    other = Snapshot.build([*changed, *rich.providers_of("models.dev").values()])
    for snapshot in (rich, stored(rich, tmp_path)):
        assert snapshot.provider_ids == tuple(snapshot.get_providers()) == ("bare", "openai")
        assert snapshot.unlike(snapshot) == snapshot.unlike(rich) == frozenset()
        assert snapshot.unlike(other) == {"bare"}
        assert other.unlike(snapshot) == {"bare", "zoo"}


def test_lines_among_some_providers_are_theirs_or_all_if_these_are_many(tmp_path: Path) -> None:
    snapshot = stored(build(large=[f"m{n}" for n in range(9)], small=["a"]), tmp_path)
    assert {*snapshot.lines_among({"small"})} == {*snapshot.lines_of(["small"])}
    assert {*snapshot.lines_among({"large"})} == {*snapshot.lines()}
    assert [*snapshot.lines_among(())] == []


def test_it_keeps_what_the_overlays_say(tmp_path: Path) -> None:
    overlays = {"acme:policy": {"version": "1.0", "options": "abc"}}
    withheld = {"bad": "acme:policy"}
    built = Snapshot.build([ProviderConfig("a", ["m"])], overlays=overlays, withheld=withheld)
    for snapshot in (built, stored(built, tmp_path), built.with_providers([])):
        for _ in range(2):  # read, and remembered
            assert snapshot.overlays == overlays
            assert snapshot.withheld == withheld
    without = Snapshot.build([ProviderConfig("a", ["m"])])
    assert (without.overlays, without.withheld) == ({}, {})
    assert without != built


def test_a_role_gives_the_model_that_it_stands_for(rich: Snapshot, tmp_path: Path) -> None:
    declared = rich.with_roles({"fast": "openai/gpt-4o", "bare": "bare/b/c"})
    again = stored(declared, tmp_path)
    assert again == declared != rich
    for snapshot in (declared, again, pickle.loads(pickle.dumps(again)), again.with_providers([])):
        assert snapshot.roles == {"bare": "bare/b/c", "fast": "openai/gpt-4o"}
    for _ in range(2):  # read, and remembered
        assert again.get_model("fast") == rich.get_model("openai/gpt-4o")
        assert again.get_model("bare") == rich.get_model("bare/b/c")
    assert again.split("fast") == ("openai", "gpt-4o")
    assert again.split("bare/unknown") == ("bare", "unknown")
    # A provider may have the same id; neither hides the other.
    assert again.get_provider_config("bare") == rich.get_provider_config("bare")
    assert again.get_provider_config("fast") is None
    assert again.with_providers([]).get_model("fast") is None


def test_roles_are_added_and_the_later_word_counts(rich: Snapshot) -> None:
    first = rich.with_roles({"fast": "openai/gpt-4o", "best": "bare/a"})
    assert first.with_roles({"fast": "bare/a"}).roles == {"best": "bare/a", "fast": "bare/a"}
    assert first.with_roles({}) == first


def test_without_roles_the_bytes_are_as_before_there_were_any(rich: Snapshot) -> None:
    assert rich.roles == {}
    assert rich.with_roles({}).to_bytes() == rich.to_bytes()
    assert b'"roles"' not in rich.to_bytes()
    assert rich.with_roles({"fast": "a/b"}).replace(roles={}) == rich


@pytest.mark.parametrize(
    ("roles", "error"),
    [
        ({"a/b": "openai/gpt-4o"}, "a/b: expected a role without a slash"),
        ({"": "openai/gpt-4o"}, "expected an id, got an empty one"),
        ({"a\0": "openai/gpt-4o"}, "without NUL"),
        ({"fast": "gpt-4o"}, "fast: expected a full id such as openai/gpt-5, got 'gpt-4o'"),
        ({"fast": "openai/"}, "fast: expected a full id"),
        ({"fast": "/gpt-4o"}, "fast: expected a full id"),
        ({"fast": "openai/\ud800"}, "fast: expected an id without lone surrogates"),
        ({"fast": None}, "fast: expected a full id, got NoneType"),
        ({7: "openai/gpt-4o"}, "7: expected an id, got int"),
        (["fast"], "expected an object, got list"),
    ],
)
def test_what_can_be_no_role_is_refused_by_name(rich: Snapshot, roles: Any, error: str) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        rich.with_roles(roles)


@pytest.mark.parametrize(
    "roles", [{"openai/gpt-4o": "bare/a"}, {"fast": "fast"}, {"fast": 5}, {"fast": ["a"]}, ["x"]]
)
def test_a_role_that_can_not_be_is_damage(rich: Snapshot, tmp_path: Path, roles: Any) -> None:
    """In a file that somebody else made: an id would stand for another, or for itself."""
    data = encode(rich.get_providers(), {"gateways": {}, "roles": roles})
    (tmp_path / "made").write_bytes(data)
    registry = ModelRegistry.from_snapshot(tmp_path / "made")
    assert registry.get_model("openai/gpt-4o")
    for lookup in (registry.get_model, registry.resolve):
        with pytest.raises(SnapshotDamagedError, match="has an invalid role"):
            lookup("fast")
    alone = Snapshot.from_bytes(data)
    with pytest.raises(SnapshotDamagedError) as caught:
        alone.get_model("fast")
    assert caught.value.culprit == alone.hash


def test_only_providers_and_models_are_offered(rich: Snapshot) -> None:
    declared = rich.with_roles({"fast": "openai/gpt-4o"})
    assert [id for id in ("openai", "openai/gpt-4o", "fast", "x") if declared.offers(id)] == [
        "openai",
        "openai/gpt-4o",
    ]


def test_an_open_file_can_be_mapped_and_closed(rich: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    path.write_bytes(rich.to_bytes())
    with path.open("rb") as file:
        snapshot = Snapshot.map(file.fileno(), name="mine")
    assert snapshot.get_models() == rich.get_models()
    path.write_bytes(rich.to_bytes()[:-1])
    with path.open("rb") as file, pytest.raises(SnapshotDamagedError, match="mine"):
        Snapshot.map(file.fileno(), name="mine")


def test_a_file_that_is_no_snapshot_is_called_so(rich: Snapshot) -> None:
    """Whole and consistent, but of another kind."""
    header = bytearray(rich.to_bytes()[:68])
    header[:7] = b"regtale"
    header[-4:] = crc32(header[:-4]).to_bytes(4, "little")
    with pytest.raises(SnapshotDamagedError, match="is not a snapshot"):
        Snapshot.from_bytes(bytes(header) + rich.to_bytes()[68:])


def test_a_damaged_directory_is_noticed_by_all_that_reads_it(rich: Snapshot) -> None:
    """Its bytes are still JSON, of the same length; and a lookup, which reads no directory,
    goes on."""
    data = rich.to_bytes()
    for good, bad in ((b'["bare",null,2,', b'["bore",null,2,'), (b"plugin 1.0", b"plugin 6.6")):
        assert data.count(good) == 1
        reads = [
            Snapshot.get_models,
            Snapshot.get_providers,
            Snapshot.count,
            lambda snapshot: list(snapshot.flags()),
            lambda snapshot: snapshot.providers_of("models.dev"),
            lambda snapshot: snapshot.split("openai/unknown"),
            lambda snapshot: snapshot.gateways,
            lambda snapshot: snapshot.overlays,
            lambda snapshot: snapshot.withheld,
            lambda snapshot: snapshot.roles,
            lambda snapshot: snapshot.get_model("no-slash"),
        ]
        for read in reads:
            damaged = Snapshot.from_bytes(data.replace(good, bad))
            with pytest.raises(SnapshotDamagedError, match="damaged record"):
                read(damaged)
            assert damaged.get_model("bare/a") == rich.get_model("bare/a")


def test_a_snapshot_is_no_other_thing_with_its_hash(rich: Snapshot) -> None:
    assert rich != SimpleNamespace(hash=rich.hash)


def test_an_id_that_ends_with_a_slash_is_below_no_provider(rich: Snapshot) -> None:
    assert rich.split("openai/") == (None, "openai/")


def test_one_without_any_gateway_says_so() -> None:
    assert Snapshot.build([]).gateways == {}


class Counting:
    """A snapshot's bytes, and how often a part of them was asked for."""

    def __init__(self, data: bytes) -> None:
        self.data, self.asked = data, 0

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, part: slice, /) -> bytes:
        self.asked += 1
        return self.data[part]


def test_who_walks_over_all_records_asks_for_the_bytes_once() -> None:
    """For a stored snapshot each part is a call of the system."""
    models = [f"m{n}" for n in range(500)]
    data = Snapshot.build([ProviderConfig("acme", models)]).to_bytes()
    counting = Counting(data)
    snapshot = Snapshot.from_bytes(counting)
    counting.asked = 0
    assert len([*snapshot.lines()]) == 501
    assert counting.asked == 1


def test_the_directory_tells_the_ids_and_which_providers_differ(rich: Snapshot) -> None:
    stored = Snapshot.from_bytes(rich.to_bytes())
    assert stored.provider_ids == rich.provider_ids == tuple(rich.get_providers())
    assert rich.unlike(stored) == frozenset()
    first, *_ = rich.provider_ids
    changed = rich.get_providers()[first].replace(name="another")
    other = rich.with_providers({**rich.get_providers(), first: changed})
    assert (rich.unlike(other), other.unlike(rich)) == ({first}, {first})
    less = rich.with_providers({id: one for id, one in rich.get_providers().items() if id != first})
    assert (rich.unlike(less), less.unlike(rich)) == ({first}, frozenset())


def test_lines_are_those_of_some_providers_at_least(rich: Snapshot) -> None:
    every = {*rich.lines()}
    for id in rich.provider_ids:
        assert {*rich.lines_of([id])} <= {*rich.lines_among([id])} <= every
    assert {*rich.lines_among(rich.provider_ids)} == every
