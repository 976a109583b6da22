"""Real dev servers, started on a project whose generated files lie in the folders that they
watch: a refresh changes those files and the server goes on; a changed `.py` restarts it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.devserver.conftest import needs
from tests.devserver.servers import Project, Upstream
from tests.loopback import Loopback

pytestmark = pytest.mark.slow

ASGI = """\
from fastapi import FastAPI
from registry_core.devserver.asgi import dev_lifespan
from registry import registry

app = FastAPI(lifespan=dev_lifespan(registry=registry))
"""
FLASK = """\
from flask import Flask
from registry_core.devserver.flask import init_app
from registry import registry

app = Flask(__name__)
init_app(app, registry=registry)

if __name__ == "__main__":
    app.run(debug=True, port=0)
"""
DJANGO = """\
import sys
from django.conf import settings

settings.configure(
    DEBUG=True,
    SECRET_KEY="x",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["registry_core.devserver.django.RegistryCoreConfig"],
)
urlpatterns = []

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
#: uvicorn's other reloader, which it takes if watchfiles is not installed.
UVICORN_STAT = """\
import sys
sys.modules["watchfiles"] = None
from uvicorn.main import main
main()
"""


class Kind(NamedTuple):
    needs: Sequence[str]
    app: str
    command: Sequence[str]
    environ: Mapping[str, str] = {}
    says: str = ""
    """Something that it prints, so that it is the server that is meant."""


DEV = {"REGISTRY_CORE_DEV": "true"}
UVICORN = ("app:app", "--reload", "--port", "0")
KINDS = {
    "uvicorn-watchfiles": Kind(
        ("fastapi", "uvicorn", "watchfiles"), ASGI, ("-m", "uvicorn", *UVICORN), DEV, "WatchFiles"
    ),
    "uvicorn-stat": Kind(
        ("fastapi", "uvicorn"), ASGI, ("-c", UVICORN_STAT, *UVICORN), DEV, "StatReload"
    ),
    "fastapi-dev": Kind(
        ("fastapi", "fastapi_cli"), ASGI, ("-m", "fastapi", "dev", "app.py", "--port", "0")
    ),
    "hypercorn": Kind(
        ("fastapi", "hypercorn"),
        ASGI,
        ("-m", "hypercorn", "--reload", "-b", "127.0.0.1:0", "app:app"),
        DEV,
    ),
    "granian": Kind(
        ("fastapi", "granian", "watchfiles"),
        ASGI,
        (
            *("-m", "granian", "--interface", "asgi", "--port", "0", "--reload"),
            *("--reload-ignore-patterns", r".*\.(json|pyi|d\.ts|tmp)$", "app:app"),
        ),
        DEV,
    ),
    "flask-run": Kind(("flask",), FLASK, ("-m", "flask", "run", "--debug", "--port", "0")),
    "flask-app.run": Kind(("flask",), FLASK, ("app.py",)),
    "django": Kind(("django",), DJANGO, ("app.py", "runserver", "127.0.0.1:0")),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_refresh_that_changes_the_types_restarts_nothing(
    tmp_path: Path, server: Loopback, name: str
) -> None:
    kind = KINDS[name]
    for package in kind.needs:
        needs(package)
    upstream = Upstream(server)
    project = Project(tmp_path, upstream, {"app.py": kind.app})
    app = project.root / "app.py"
    with project.serve([sys.executable, *kind.command], **kind.environ) as running:
        running.wait(lambda: project.starts() == 1, "the start")
        running.wait(lambda: project.generated("model-0"), "the first refresh")
        assert kind.says in running.output()

        upstream.growing = True
        for wanted in ("model-3", "model-6"):  # seconds in all: each reloader looks many times
            if name == "django":  # its interval is a minute at least
                while upstream.models[-1] != wanted:
                    project.sync()
            running.wait(lambda: project.generated(wanted), wanted)  # noqa: B023
        assert project.starts() == 1, running.output()
        # As the framework logs if nobody has set up anything.
        assert "registry-core: asks acme every " in running.output()
        assert "registry-core: writes to data (json), typings (python), " in running.output()
        if name != "django":  # another process has told that
            running.wait(lambda: "registry-core: new: acme/model-" in running.output(), "news")

        app.write_text(app.read_text() + "\n# changed\n")
        running.wait(lambda: project.starts() >= 2, "a restart")
        upstream.growing = False
    started, ended, again = (one.split() for one in project.events()[:3])
    assert (started[0], ended[0], again[0]) == ("startup", "shutdown", "startup")
    assert started[1] == ended[1] != again[1]


def test_a_reloaders_parent_never_counts_and_each_process_that_serves_does(
    tmp_path: Path, server: Loopback
) -> None:
    needs("fastapi")
    needs("uvicorn")
    project = Project(tmp_path, Upstream(server), {"app.py": ASGI})
    command = (sys.executable, "-m", "uvicorn", "app:app", "--workers", "2", "--port", "0")
    with project.serve(command, REGISTRY_CORE_DEV="true") as running:
        running.wait(lambda: project.starts() == 2, "both workers")
    started = sorted(one.split()[1] for one in project.events() if one.startswith("startup"))
    ended = sorted(one.split()[1] for one in project.events() if one.startswith("shutdown"))
    assert started == ended
    assert len(set(started)) == 2


def test_beneath_registry_core_dev_only_that_refreshes(tmp_path: Path, server: Loopback) -> None:
    needs("fastapi")
    needs("uvicorn")
    upstream = Upstream(server)
    upstream.growing = True
    project = Project(tmp_path, upstream, {"app.py": ASGI})
    app = project.root / "app.py"
    command = ("-m", "registry_core", "dev", "--", sys.executable, "-m", "uvicorn", *UVICORN)
    with project.serve([sys.executable, *command]) as running:
        running.wait(lambda: project.starts() == 1, "the start")
        running.wait(lambda: project.generated("model-1"), "the refresh beside it")
        app.write_text(app.read_text() + "\n# changed\n")  # which takes longer than the interval
        running.wait(lambda: project.starts() >= 2, "a restart")
    assert upstream.models == ["model-0", "model-1"]
