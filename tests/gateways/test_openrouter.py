"""OpenRouter's pages over HTTP, in a registry: none is read twice, and none is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from registry_gateway_openrouter import OpenRouterGateway

from registry_core import GatewayReport, SyncReport
from tests.loopback import Loopback, Reply, Request
from tests.world import Plugin, World

SIZE = 5


class Pages:
    """The list on a server, page by page; each has an ETag of its content."""

    def __init__(self, server: Loopback, count: int) -> None:
        self.ids = [f"acme/m{number:03}" for number in range(count * SIZE)]
        self.sent: list[int] = []
        self.before: Callable[[int], Reply | None] = lambda page: None
        server.route("/models", self._answer)

    def _answer(self, request: Request) -> Reply:
        page = int(request.query.get("page", 0))
        instead = self.before(page)
        if instead is not None:
            return instead
        after = page + 1 < len(self.ids) / SIZE
        body: dict[str, Any] = {
            "data": [{"id": id} for id in self.ids[page * SIZE : (page + 1) * SIZE]],
            "links": {"next": f"/models?page={page + 1}" if after else None},
            "total_count": len(self.ids),
        }
        text = json.dumps(body).encode()
        etag = f'"{hash(text)}"'
        if request.headers["If-None-Match"] == etag:
            return Reply(304, headers={"ETag": etag})
        self.sent.append(page)
        return Reply(200, text, {"ETag": etag})


@pytest.fixture
def router(world: World) -> World:
    world.plugins.append(Plugin(OpenRouterGateway(world.server.url("/models"))))
    return world


def synced(world: World, **settings: Any) -> tuple[GatewayReport, SyncReport]:
    world.now += 3600
    report = world.sync(**settings)
    (gateway,) = (one for one in report.gateways if one.id == "openrouter")
    return gateway, report


def served(world: World) -> list[str]:
    return [*world.registry().get_models()["openrouter"]]


@pytest.mark.parametrize("count", [1, 3, 40])
def test_each_page_is_sent_once_and_again_if_it_has_changed(router: World, count: int) -> None:
    pages = Pages(router.server, count)
    assert synced(router)[0].models == count * SIZE
    assert served(router) == pages.ids
    assert pages.sent == [*range(count)]

    found, report = synced(router)
    assert (found.models, report.added, report.removed) == (count * SIZE, (), ())
    assert pages.sent == [*range(count)]

    pages.ids[-1] = "acme/zzz"
    found, report = synced(router)
    assert (found.status, report.added) == ("fresh", ("openrouter/acme/zzz",))
    assert served(router) == pages.ids
    assert pages.sent == [*range(count), count - 1]


@pytest.mark.parametrize("page", [0, 1, 39])
def test_a_page_that_fails_costs_nothing_of_what_was_there(router: World, page: int) -> None:
    pages = Pages(router.server, 40)
    synced(router)
    before = list(pages.ids)
    pages.ids[0] = "acme/aaa"
    pages.before = lambda asked: Reply(502) if asked == page else None
    found, report = synced(router, fetch_retries=0)
    assert (found.status, found.source, found.models) == ("failed", "stored", 200)
    assert "502" in (found.error or "")
    assert not report.ok
    assert served(router) == before

    pages.before = lambda asked: None
    assert synced(router)[0].status == "fresh"
    assert served(router) == pages.ids


def test_a_list_that_shrinks_while_it_is_read_costs_nothing_of_what_was_there(
    router: World,
) -> None:
    pages = Pages(router.server, 40)
    synced(router)
    before = list(pages.ids)
    pages.ids[0] = "acme/aaa"  # or no page would be read again

    def shrink(page: int) -> None:
        if page == 20:
            del pages.ids[3:5]

    pages.before = shrink
    found, _ = synced(router)
    assert found.status == "failed"
    assert "changed while it was read, from 200 models to 198" in (found.error or "")
    assert served(router) == before

    pages.before = lambda page: None
    assert synced(router)[0].status == "fresh"
    assert served(router) == sorted(pages.ids)


def test_an_id_on_two_pages_is_one_model_and_is_told_at_each_sync(router: World) -> None:
    pages = Pages(router.server, 3)
    pages.ids[7] = pages.ids[2]
    for _ in range(2):
        found, report = synced(router)
        assert (found.status, found.models) == ("fresh", 14)
        (told,) = [one for one in report.problems if one.kind == "record"]
        assert told.culprit == "openrouter: openrouter/acme/m002"
        assert "listed twice" in told.message
    assert served(router) == sorted({*pages.ids})
