"""Tokens that are exchanged: kept until they expire, and for their owner alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from registry_core import (
    Endpoint,
    GatewayClient,
    ModelInfo,
    ModelRegistry,
    ProviderConfig,
)
from registry_core._http.client import HttpClient
from registry_core._http.tokens import Tokens
from registry_core.errors import GatewayError, GatewayTimeoutError
from tests.loopback import Loopback, Reply, Request
from tests.world import JsonGateway, Plugin, World

if TYPE_CHECKING:
    from .conftest import Clock, Make

A, B = {"ACME_TOKEN": "secret-of-a-0123456789"}, {"ACME_TOKEN": "secret-of-b-0123456789"}


class Service:
    """Exchanges: counts them, and says for whom each was."""

    def __init__(self) -> None:
        self.expires: Any = 3600
        self.asked: list[str | None] = []

    def exchange(self, client: GatewayClient, name: str = "ACME_TOKEN") -> Callable[[], Any]:
        """Which asks for its secret only then."""

        def exchange() -> Any:
            self.asked.append(client.secret(name))
            return f"token-{len(self.asked)}-of-{client.secret(name)}", self.expires

        return exchange

    def token(self, client: GatewayClient, key: Any = "", **more: Any) -> str:
        token: str = client.token(key, self.exchange(client), **more)
        return token


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(clock)


@pytest.fixture
def client(make: Make, tokens: Tokens) -> Callable[..., HttpClient]:
    """Clients of one gateway, each of a sync or a `resolve` of its own."""

    def client(environ: dict[str, str] = A, **more: Any) -> HttpClient:
        given = {"environ": environ, "tokens": tokens, "gateway": "acme"}
        return make(**given | more)

    return client


@pytest.mark.parametrize("aware", [False, True], ids=["seconds", "datetime"])
def test_a_token_is_kept_until_a_margin_before_it_expires(
    client: Any, service: Service, clock: Clock, aware: bool
) -> None:
    start = int(clock.now) + 100
    clock.now = start
    expires = datetime.fromtimestamp(start, UTC) + timedelta(hours=1)
    service.expires = (
        expires.astimezone(None) if aware else 3600 - 1
    )  # each client is a second later
    first = service.token(client())
    clock.now = start + 3600 - 60 - 2
    assert service.token(client()) == first  # and a second passes before that
    assert len(service.asked) == 1
    assert service.token(client()) != first
    assert len(service.asked) == 2


def test_an_exchange_that_asks_for_its_own_token_is_refused_at_once(client: Any) -> None:
    calls: list[int] = []

    def nested(asker: HttpClient, depth: int) -> Any:
        calls.append(depth)
        asker.secret("ACME_TOKEN")  # from now on it is another token
        if depth == 5:
            return "good", 3600
        return asker.token("again", lambda: nested(asker, depth + 1)), 3600

    asker = client()
    with pytest.raises(GatewayError, match="asks for the token that it is to give"):
        asker.token("again", lambda: nested(asker, 0))
    assert calls == [0, 1]
    # With keys of their own one may need another; and nothing is left of what failed.
    assert (
        asker.token("outer", lambda: (asker.token("again", lambda: ("inner", 60)), 60)) == "inner"
    )


def test_the_margin_is_the_plugins(client: Any, service: Service, clock: Clock) -> None:
    service.token(client(), margin=0)
    clock.now += 3590
    service.token(client(), margin=0)
    assert len(service.asked) == 1


@pytest.mark.parametrize("expires", [0, 30, -5.0, float("nan"), datetime(2001, 1, 1, tzinfo=UTC)])
def test_a_token_that_expires_within_the_margin_is_used_and_not_kept(
    client: Any, service: Service, expires: Any
) -> None:
    service.expires = expires
    assert service.token(client()) == "token-1-of-secret-of-a-0123456789"
    assert service.token(client()) == "token-2-of-secret-of-a-0123456789"


@pytest.mark.parametrize(
    "returned",
    [
        "token",
        ("t",),
        ("t", None),
        ("t", "3600"),
        ("t", True),
        ("t", 10**400),
        ("t", datetime(2100, 1, 1)),
    ],
)
def test_what_no_exchange_may_return_is_an_error(client: Any, returned: Any) -> None:
    with pytest.raises(GatewayError, match=r"acme: .*an aware datetime or seconds from now"):
        client().token("", lambda: returned)


def test_each_key_gateway_and_secret_has_its_own_token(client: Any, service: Service) -> None:
    for _ in range(2):
        service.token(client())
        service.token(client(), key="site")
        service.token(client(gateway="other"))
        assert service.token(client(B)).endswith("secret-of-b-0123456789")
        assert service.token(client({})).endswith("of-None")
    assert len(service.asked) == 5


def test_a_secret_that_the_exchange_asks_for_later_counts(client: Any, service: Service) -> None:
    """Of tenants whose other variables are equal."""
    first = service.token(client(A))
    other = client({**A, "SECOND": "second-of-b-0123456789"})
    assert service.token(other) == first
    token = client(A).token("", service.exchange(client(A)))
    assert token == first
    third = client({**A, "SECOND": "x"})
    third.token("b", service.exchange(third, "SECOND"))
    assert service.token(other) != first  # SECOND has counted since
    assert other.token("b", service.exchange(other, "SECOND")).endswith("second-of-b-0123456789")


def test_of_threads_that_want_it_at_once_one_exchanges(client: Any, service: Service) -> None:
    barrier = threading.Barrier(8)
    clients = [client() for _ in range(8)]

    def ask(one: HttpClient) -> str:
        barrier.wait(60)
        return service.token(one)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, clients)) == {"token-1-of-secret-of-a-0123456789"}
    assert len(service.asked) == 1


class Slow(Service):
    """Holds its first exchange until told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self.gate = threading.Event(), threading.Event()
        self.error: BaseException | None = None

    def exchange(self, client: GatewayClient, name: str = "ACME_TOKEN") -> Callable[[], Any]:
        inner = super().exchange(client, name)

        def exchange() -> Any:
            if not self.arrived.is_set():
                self.arrived.set()
                assert self.gate.wait(60)
                found = inner()
                if self.error is not None:
                    raise self.error
                return found
            return inner()

        return exchange


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.gate.set()


def waiting(tokens: Tokens) -> threading.Event:
    """Set when a second thread begins to wait for an exchange."""
    begun, wait = threading.Event(), tokens._wait

    def noting(*arguments: Any) -> Any:
        begun.set()
        return wait(*arguments)

    tokens._wait = noting  # type: ignore[method-assign]
    return begun


@pytest.mark.parametrize("environ", [A, B], ids=["same secrets", "other secrets"])
@pytest.mark.parametrize("fails", [False, True], ids=["it succeeds", "it fails"])
def test_who_waits_gets_what_is_theirs_and_nothing_else(
    client: Any, slow: Slow, tokens: Tokens, environ: dict[str, str], fails: bool
) -> None:
    """Nobody knows which secrets an exchange asks for until it has."""
    slow.error = GatewayError("no", culprit="acme") if fails else None
    begun = waiting(tokens)
    first, second = client(A), client(environ)
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(slow.token, first)
        assert slow.arrived.wait(60)
        follower = pool.submit(slow.token, second)
        assert begun.wait(60)
        slow.gate.set()
        outcome = follower.exception(60) or follower.result()
        assert leader.exception(60) is slow.error
    if environ is B:
        assert outcome == "token-2-of-secret-of-b-0123456789"
    else:
        assert outcome == (slow.error or "token-1-of-secret-of-a-0123456789")
        assert len(slow.asked) == 1


def test_an_interrupt_is_not_shared(client: Any, slow: Slow, tokens: Tokens) -> None:
    slow.error = KeyboardInterrupt()
    begun = waiting(tokens)
    first, second = client(), client()
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(slow.token, first)
        assert slow.arrived.wait(60)
        follower = pool.submit(slow.token, second)
        assert begun.wait(60)
        slow.gate.set()
        assert follower.result(60).startswith("token-2")
        assert isinstance(leader.exception(60), KeyboardInterrupt)


def test_who_waits_gives_up_at_the_deadline_and_the_next_need_not_wait(
    client: Any, slow: Slow
) -> None:
    first = client()
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(slow.token, first)
        assert slow.arrived.wait(60)
        with pytest.raises(GatewayTimeoutError, match="another thread was still exchanging"):
            slow.token(client(fetch_deadline_ms=30))
        assert slow.token(client()).startswith("token-1")
        slow.gate.set()
        assert leader.result(60)


def test_a_failure_is_not_kept(client: Any, service: Service) -> None:
    def fail() -> Any:
        raise GatewayError("no", culprit="acme")

    with pytest.raises(GatewayError):
        client().token("", fail)
    assert service.token(client())


def test_no_secret_is_kept_and_a_token_is_masked(
    client: Any, service: Service, tokens: Tokens
) -> None:
    one = client()
    token = service.token(one)
    assert A["ACME_TOKEN"] not in repr(list(tokens._kept)) + repr(tokens._variables)
    one.warn("acme", f"got {token}")
    assert one.warnings[0].message == "got ***token of acme***"


OAUTH = {"access_token": "oauth-token-0123456789", "expires_in": 3600, "client_id": "x" * 20}


def by_oauth(client: GatewayClient, server: Loopback) -> str:
    def exchange() -> tuple[str, float]:
        form = {"client_id": client.secret("ID") or "", "client_secret": client.secret("KEY") or ""}
        answer = client.post_json(server.url("/token"), form=form)
        assert client.get_json(server.url("/check")) == OAUTH
        return answer["access_token"], answer["expires_in"]

    return client.token("", exchange)


def test_what_an_exchange_gets_is_stored_nowhere_and_may_repeat_the_id_of_the_client(
    client: Any, server: Loopback, folder: Path
) -> None:
    server.serve("/token", OAUTH)
    server.serve("/check", OAUTH, etag='"1"')
    for _ in range(2):
        one = client({"ID": "x" * 20, "KEY": "s3cret-of-16-characters"})
        assert by_oauth(one, server) == "oauth-token-0123456789"
    assert server.paths == ["/token", "/check"]
    assert not folder.exists()
    with pytest.raises(GatewayError, match="sent the value of ID back"):  # outside of one
        one.post_json(server.url("/token"), form={})


# Through syncs and `resolve`


class OAuthGateway(JsonGateway):
    def fetch_providers(self, client: GatewayClient) -> Any:
        ids = client.get_json(self._url, bearer=self.bearer(client))
        return {"acme": ProviderConfig("acme", ids, api_key_env_vars="KEY")}

    def bearer(self, client: GatewayClient) -> str:
        def exchange() -> tuple[str, float]:
            answer = client.post_json(
                self._url + "/token", form={"key": client.secret("KEY") or ""}
            )
            return answer["token"], 3600

        return client.token("", exchange)

    def endpoint(
        self, provider: ProviderConfig, model: ModelInfo, environ: Any, client: GatewayClient
    ) -> Endpoint:
        return Endpoint("https://acme.example", model.id, "openai", self.bearer(client))


@pytest.fixture
def oauth(world: World, server: Loopback) -> Loopback:
    def exchange(request: Request) -> Reply:
        return Reply(200, b'{"token": "%s"}' % request.body.replace(b"key=", b"for-"))

    server.route("/acme/token", exchange)
    server.route("/acme", lambda request: Reply(200, b'["a"]'))
    world.plugins.append(Plugin(OAuthGateway("acme", server.url("/acme"))))
    world.environ["KEY"] = "key-of-mine-0123456789"
    return server


def test_syncs_and_resolve_share_a_token_and_tenants_do_not(world: World, oauth: Loopback) -> None:
    registry = world.registry()
    for _ in range(2):
        assert registry.sync_gateways(force_refresh=True).ok
        assert resolved(registry) == "for-key-of-mine-0123456789"
        for tenant in ("one", "two"):
            assert resolved(registry, {"KEY": f"key-of-{tenant}"}) == f"for-key-of-{tenant}"
    assert oauth.paths.count("/acme/token") == 3


def resolved(registry: ModelRegistry, environ: Any = None) -> str | None:
    return registry.resolve("acme/a", environ).api_key


def test_a_secret_that_only_the_environment_shows_counts(world: World, oauth: Loopback) -> None:
    """A plugin may read the variables of its provider from what `endpoint` is given."""

    class Careless(OAuthGateway):
        def endpoint(
            self, provider: ProviderConfig, model: ModelInfo, environ: Any, client: GatewayClient
        ) -> Endpoint:
            token = client.token("", lambda: (f"for-{environ['KEY']}", 3600))
            return Endpoint("https://acme.example", model.id, "openai", token)

    world.plugins[:] = [Plugin(Careless("acme", oauth.url("/acme")))]
    registry = world.registry()
    registry.sync_gateways()
    for tenant in ("one", "two", "one"):
        assert resolved(registry, {"KEY": f"key-of-{tenant}"}) == f"for-key-of-{tenant}"
