"""A gateway whose payload is a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_core.errors import GatewayError
from tests.loopback import Loopback, Reply
from tests.world import JsonGateway, Plugin, World

if TYPE_CHECKING:
    from .conftest import Make


def test_a_file_that_is_named_is_read_each_time(make: Make, tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "my models.json"
    client = make()
    for text in ("[1]", "[2]"):
        path.write_text(text)
        assert f"{client.get_json(path.as_uri(), bearer='unused')}" == text
    assert "my%20models" in path.as_uri()
    assert make(payloads=None).get_json(f"FILE://localhost{path}".replace(" ", "%20")) == [2]
    assert not folder.exists()


def test_a_file_needs_no_network(make: Make, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("1")
    assert make(offline=True).get_json((tmp_path / "a.json").as_uri()) == 1


def test_a_fetch_from_a_file_can_not_be_confirmed_by_a_304(
    make: Make, tmp_path: Path, server: Loopback
) -> None:
    (tmp_path / "a.json").write_text("1")
    server.serve("/a", 1, etag='"1"')
    client = make()
    client.get_json(server.url("/a"))
    assert client.asked
    client.get_json((tmp_path / "a.json").as_uri())
    assert client.asked == ()


def test_a_changed_file_is_news_at_the_next_sync(world: World, tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    world.plugins.append(Plugin(JsonGateway("acme", path.as_uri())))
    for model in ("a", "b"):
        path.write_text(f'{{"acme": ["{model}"]}}')
        assert world.sync().ok
        assert world.models()["acme"] == (model,)
    path.unlink()
    report = world.sync()
    assert "is not there" in (report.gateways[0].error or "")
    assert world.models()["acme"] == ("b",)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///no/such/file.json", "is not there"),
        ("file://{folder}", "is not a regular file"),
        ("file:///dev/zero", "is not a regular file"),
        ("file://{fifo}", "is not a regular file"),
        ("file://server/share/a.json", "names no file of this machine"),
        ("file:models.json", "names no file of this machine"),
        ("file:", "names no file of this machine"),
        ("file:///a%00b", "is not a URL of a file"),
        ("file://[/a", "is not a URL of a file"),
        ("file://{large}", "holds more than 1 MiB"),
        ("file://{page}", "sent an HTML page"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths and FIFOs of POSIX")
def test_what_is_no_file_with_a_payload_is_an_error_that_names_it(
    make: Make, tmp_path: Path, url: str, message: str
) -> None:
    (tmp_path / "large").write_bytes(b" " * (2**20 + 1))
    (tmp_path / "page").write_text("<html>")
    os.mkfifo(tmp_path / "fifo")
    places = {name: tmp_path / name for name in ("fifo", "large", "page")}
    url = url.format(folder=tmp_path, **places)
    with pytest.raises(GatewayError, match=message) as caught:
        make(fetch_max_bytes=2**20).get_json(url)
    assert caught.value.culprit == url
    assert caught.value.hint == "check the url"


def test_no_redirect_leads_to_a_file(make: Make, tmp_path: Path, server: Loopback) -> None:
    (tmp_path / "a.json").write_text("1")
    server.route("/a", Reply(302, headers={"Location": (tmp_path / "a.json").as_uri()}))
    with pytest.raises(GatewayError, match="which is not an http or https URL"):
        make().get_json(server.url("/a"))


def test_a_post_reads_no_file(make: Make, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("1")
    with pytest.raises(GatewayError, match="is not an http or https URL"):
        make().post_json((tmp_path / "a.json").as_uri(), json={})
