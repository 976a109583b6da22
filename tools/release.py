"""Cut, build and check a release. Nothing is tagged, pushed or uploaded.

    python tools/release.py cut VERSION [--date DATE]
    python tools/release.py build [--out dist] [--dry-run]

`cut` writes VERSION where it stands, and puts what is unreleased in CHANGELOG.md under it: commit
that. `build` takes what is committed, not the files beside it. It makes a wheel and an sdist of
the core and of each plugin, has twine check them, and adds what they came from: `SHA256SUMS`,
`manifest.json` (the commit, the tools, each file) and `NOTES.md`, the section of the changelog.
The same commit and tools give the same bytes. With --dry-run the notes are what is unreleased.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, date, datetime
from importlib.metadata import version as installed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = "src/registry_core/_base/version.py"
UNRELEASED = "## Unreleased\n"


class ReleaseError(Exception):
    """The release can't be made; says why, and what to do."""


def version(root: Path) -> str:
    """The version in the files of `root`."""
    return (root / VERSION).read_text("utf-8").split('"')[-2]


def notes(changelog: str, title: str) -> str:
    """What the section that begins with `title` says; ReleaseError if it says nothing."""
    found = re.search(rf"^## {re.escape(title)}\b.*\n((?:(?!## ).*\n?)*)", changelog, re.MULTILINE)
    if found is None or not found[1].strip():
        raise ReleaseError(f"CHANGELOG.md says nothing under {title}; run: release.py cut VERSION")
    return found[1].strip() + "\n"


def cut(root: Path, new: str, day: date) -> None:
    """Make `new` the version, and give its heading to what is unreleased."""
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", new):
        raise ReleaseError(f"{new!r} is no version like 1.2.3 or 1.2.3rc1")
    log = root / "CHANGELOG.md"
    text = log.read_text("utf-8")
    if f"\n## {new} (" in text:
        raise ReleaseError(f"CHANGELOG.md has a section {new}: it is released")
    notes(text, "Unreleased")
    file = root / VERSION
    code = file.read_text("utf-8")
    file.write_text(code.replace(f'"{version(root)}"', f'"{new}"'), "utf-8")
    log.write_text(text.replace(UNRELEASED, f"{UNRELEASED}\n## {new} ({day})\n", 1), "utf-8")


def run(*command: str | Path, **variables: str) -> str:
    """What a program prints; ReleaseError with all that it said if it fails."""
    environ = {**os.environ, **variables}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def build(root: Path, out: Path, *, dry_run: bool = False) -> None:
    """Fill `out`, which must be empty, with the release of what is committed in `root`."""
    if out.exists() and any(out.iterdir()):
        raise ReleaseError(f"{out} is not empty: a release would be mixed with another")
    commit = run("git", "-C", root, "rev-parse", "HEAD")
    committed = int(run("git", "-C", root, "show", "-s", "--format=%ct", commit))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        run("git", "-C", root, "archive", "-o", f"{folder}/source.tar", commit)
        with tarfile.open(f"{folder}/source.tar") as archive:
            archive.extractall(source, filter="data")
        of = version(source)
        said = notes((source / "CHANGELOG.md").read_text("utf-8"), "Unreleased" if dry_run else of)
        projects = [source, *sorted(source.glob("plugins/*/"))]
        for project in projects:
            command = (sys.executable, "-m", "build", "--no-isolation", "--outdir", out, project)
            run(*command, SOURCE_DATE_EPOCH=str(committed))
    files = sorted(out.iterdir())
    if len(files) != 2 * len(projects) or not all(f"-{of}" in file.name for file in files):
        raise ReleaseError(f"not a wheel and an sdist of each, at {of}: {[*map(str, files)]}")
    run(sys.executable, "-m", "twine", "check", "--strict", *files)
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    manifest = {
        "version": of,
        "commit": commit,
        "committed": datetime.fromtimestamp(committed, UTC).isoformat(),
        "dry_run": dry_run,
        "python": platform.python_version(),
        "tools": {name: installed(name) for name in ("build", "hatchling", "twine")},
        "files": [
            {"name": file.name, "size": file.stat().st_size, "sha256": sums[file.name]}
            for file in files
        ],
    }
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    (out / "SHA256SUMS").write_text(lines, "utf-8")
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    (out / "NOTES.md").write_text(said, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    cutting = steps.add_parser("cut")
    cutting.add_argument("version")
    cutting.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date())
    building = steps.add_parser("build")
    building.add_argument("--out", type=Path, default=ROOT / "dist")
    building.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    try:
        if options.step == "cut":
            cut(ROOT, options.version, options.date)
        else:
            build(ROOT, options.out, dry_run=options.dry_run)
            print((options.out / "SHA256SUMS").read_text("utf-8"), end="")
    except ReleaseError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
