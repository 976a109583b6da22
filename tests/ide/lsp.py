"""Language servers, driven over their own protocols on standard input and output.

The client does what editors do and no more: it opens a file once, types into it, asks for
completions, and tells of changed files only if the server has asked to be told.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit

T = TypeVar("T")

#: Seconds, for whatever a server has to do; generous, since nothing waits longer than needed.
DEADLINE = 180.0
CREATED, CHANGED, DELETED = 1, 2, 3
LANGUAGES = {".json": "json", ".py": "python", ".toml": "toml", ".yaml": "yaml"}


def until(ask: Callable[[], T], good: Callable[[T], bool]) -> T:
    """What `ask` gives as soon as it is `good`; AssertionError after the deadline."""
    end = time.monotonic() + DEADLINE
    while not good(answer := ask()):
        assert time.monotonic() < end, (
            f"not within {DEADLINE:g} s; the last answer: {answer!r:.500}"
        )
        threading.Event().wait(0.01)
    return answer


class Server(ABC):
    """A running program whose output is JSON messages, each after a Content-Length header."""

    def __init__(self, command: Sequence[str | Path], folder: Path, **environ: str) -> None:
        self.folder = folder
        self._numbers = 0
        self._answers: dict[int, queue.Queue[Any]] = {}
        self._texts: dict[Path, str] = {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed on exit)
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """The whole process group: what we started is often only a launcher."""
        with suppress(OSError, AssertionError):
            self._leave()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with suppress(OSError):
                stream and stream.close()

    @property
    def session(self) -> int:
        """The session that the server and whatever it starts are in."""
        return self._process.pid

    @abstractmethod
    def open(self, file: Path) -> None:
        """Show a file to the server, as it is on disk."""

    @abstractmethod
    def edit(self, file: Path, text: str) -> None:
        """Replace the text of an open file in the editor; the disk keeps what it has."""

    @abstractmethod
    def complete(self, file: Path, after: str) -> list[str]:
        """What is offered after the first `after` of the text in the editor, as the server
        orders it; quotes around an item are left out."""

    def offered(self, file: Path, after: str, wanted: str) -> list[str]:
        """What is offered as soon as `wanted` is: sorted."""
        return sorted(until(lambda: self.complete(file, after), lambda items: wanted in items))

    def offers(self, file: Path, after: str, wanted: Iterable[str]) -> None:
        """Wait until just these are offered: a server may answer before it has read all."""
        good = sorted(wanted)
        until(lambda: sorted({*self.complete(file, after)}), lambda found: found == good)

    @abstractmethod
    def changed(self, files: Iterable[str | Path], kind: int = CHANGED) -> None:
        """Tell of files that changed on disk, if the server wants to be told."""

    @abstractmethod
    def _leave(self) -> None: ...

    @abstractmethod
    def _receive(self, message: dict[str, Any]) -> None: ...

    def _send(self, message: Mapping[str, Any], number: int | None = None) -> Any:
        """The answer, if the message has a number; otherwise None."""
        answer: queue.Queue[Any] = queue.Queue()
        if number is not None:
            self._answers[number] = answer
        self._write(json.dumps(message).encode())
        if number is None:
            return None
        try:
            found = answer.get(timeout=DEADLINE)
        except queue.Empty:
            found = EOFError("no answer in time")
        del self._answers[number]
        if isinstance(found, Exception):
            self._log.seek(0)
            raise AssertionError(f"{message}: {found}\n{self._log.read().decode()[-2000:]}")
        return found

    def _write(self, data: bytes) -> None:
        stream = self._process.stdin
        assert stream
        stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        stream.flush()

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _answer(self, number: int, answer: Any) -> None:
        if number in self._answers:
            self._answers[number].put(answer)

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream
        with suppress(ValueError, OSError):  # closed while it read
            while True:
                size = 0
                while line := stream.readline().strip():
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        size = int(value)
                if not size:
                    break
                self._receive(json.loads(stream.read(size)))
        for answer in list(self._answers.values()):
            answer.put(EOFError("the server has ended"))


class LanguageServer(Server):
    """Any server of the Language Server Protocol. `settings`: section → what it is told."""

    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        settings: Mapping[str, Any] | None = None,
        **environ: str,
    ) -> None:
        super().__init__(command, folder, **environ)
        self._settings = settings or {}
        self._versions: dict[Path, int] = {}
        self._watches: dict[str, list[tuple[re.Pattern[str], int]]] = {}
        watched = {"dynamicRegistration": True, "relativePatternSupport": True}
        item = {"snippetSupport": False}
        capabilities = {
            "workspace": {
                "configuration": True,
                "workspaceFolders": True,
                "didChangeWatchedFiles": watched,
            },
            "textDocument": {"completion": {"completionItem": item, "contextSupport": True}},
        }
        root = {"uri": folder.as_uri(), "name": folder.name}
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root["uri"],
                "workspaceFolders": [root],
                "capabilities": capabilities,
            },
        )
        self.notify("initialized", {})

    def request(self, method: str, params: object) -> Any:
        number = self._next()
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        return self._send(message, number)

    def notify(self, method: str, params: object) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def open(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        self._texts[file], self._versions[file] = text, 1
        language = LANGUAGES.get(file.suffix, "typescript")
        document = {"uri": file.as_uri(), "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def edit(self, file: Path, text: str) -> None:
        self._texts[file] = text
        self._versions[file] += 1
        document = {"uri": file.as_uri(), "version": self._versions[file]}
        change = {"textDocument": document, "contentChanges": [{"text": text}]}
        self.notify("textDocument/didChange", change)

    def complete(self, file: Path, after: str) -> list[str]:
        line, column = _position(self._texts[file], after)
        answer = self.request(
            "textDocument/completion",
            {
                "textDocument": {"uri": file.as_uri()},
                "position": {"line": line, "character": column},
                "context": {"triggerKind": 1},
            },
        )
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return [_unquoted(item["label"]) for item in items]

    def changed(self, files: Iterable[str | Path], kind: int = CHANGED) -> None:
        changes = [
            {"uri": Path(file).as_uri(), "type": kind} for file in files if self.watches(file, kind)
        ]
        if changes:
            self.notify("workspace/didChangeWatchedFiles", {"changes": changes})

    def watches(self, file: str | Path, kind: int = CHANGED) -> bool:
        """Whether the server has asked to be told."""
        watches = [watch for group in list(self._watches.values()) for watch in group]
        return any(glob.fullmatch(str(file)) and kinds >> kind - 1 & 1 for glob, kinds in watches)

    def _leave(self) -> None:
        self.request("shutdown", None)
        self.notify("exit", None)

    def _receive(self, message: dict[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            assert isinstance(number, int)
            error = message.get("error")
            self._answer(number, RuntimeError(error) if error else message.get("result"))
            return
        if number is None:
            return
        result: Any = None
        params = message.get("params") or {}
        if method == "workspace/configuration":
            result = [self._settings.get(item.get("section"), {}) for item in params["items"]]
        elif method == "workspace/workspaceFolders":
            result = [{"uri": self.folder.as_uri(), "name": self.folder.name}]
        elif method == "client/registerCapability":
            for one in params["registrations"]:
                if one["method"] == "workspace/didChangeWatchedFiles":
                    watchers = one["registerOptions"]["watchers"]
                    self._watches[one["id"]] = [self._watch(watcher) for watcher in watchers]
        elif method == "client/unregisterCapability":
            for one in params["unregisterations"]:  # spelt so in the protocol
                self._watches.pop(one["id"], None)
        self._send({"jsonrpc": "2.0", "id": number, "result": result})

    def _watch(self, watcher: dict[str, Any]) -> tuple[re.Pattern[str], int]:
        pattern, base = watcher["globPattern"], str(self.folder)
        if isinstance(pattern, dict):
            uri = pattern["baseUri"]
            base = unquote(urlsplit(uri if isinstance(uri, str) else uri["uri"]).path)
            pattern = pattern["pattern"]
        full = pattern if pattern.startswith("/") else f"{base.rstrip('/')}/{pattern}"
        return _glob(full), watcher.get("kind") or 7


class TsServer(Server):
    """tsserver's own protocol, as VS Code's TypeScript extension speaks it. It watches the disk
    by itself, unless it is started with `--canUseWatchEvents` (VS Code does so)."""

    def __init__(self, command: Sequence[str | Path], folder: Path) -> None:
        self._watches: dict[int, Path] = {}
        super().__init__(command, folder)

    def open(self, file: Path) -> None:
        self._texts[file] = file.read_text(encoding="utf-8")
        self._command("open", {"file": str(file), "fileContent": self._texts[file]})

    def edit(self, file: Path, text: str) -> None:
        old = self._texts[file].split("\n")
        self._texts[file] = text
        whole = {"line": 1, "offset": 1, "endLine": len(old), "endOffset": len(old[-1]) + 1}
        self._command("change", {"file": str(file), **whole, "insertString": text})

    def complete(self, file: Path, after: str) -> list[str]:
        line, column = _position(self._texts[file], after)
        place = {"file": str(file), "line": line + 1, "offset": column + 1}
        number = self._next()
        message = self._message("completionInfo", place, number)
        answer = self._send(message, number)
        return [entry["name"] for entry in answer["entries"]] if answer else []

    def changed(self, files: Iterable[str | Path], kind: int = CHANGED) -> None:
        name = {CREATED: "created", CHANGED: "updated", DELETED: "deleted"}[kind]
        paths = [Path(file) for file in files]
        changes = [
            {"id": number, name: [str(path) for path in paths if watched in (path, path.parent)]}
            for number, watched in list(self._watches.items())
        ]
        self._command("watchChange", [change for change in changes if change[name]])

    def _leave(self) -> None:
        self._command("exit", {})

    def _command(self, command: str, arguments: object) -> None:
        self._send(self._message(command, arguments, self._next()))

    @staticmethod
    def _message(command: str, arguments: object, number: int) -> dict[str, Any]:
        return {"seq": number, "type": "request", "command": command, "arguments": arguments}

    def _write(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data + b"\n")
        self._process.stdin.flush()

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "response":
            # No completions here is an answer without success, not a fault.
            self._answer(message["request_seq"], message.get("body"))
        elif message["event"] in ("createFileWatcher", "createDirectoryWatcher"):
            self._watches[message["body"]["id"]] = Path(message["body"]["path"])
        elif message["event"] == "closeFileWatcher":
            self._watches.pop(message["body"]["id"], None)


def _position(text: str, after: str) -> tuple[int, int]:
    """Line and column, from 0."""
    before = text[: text.index(after) + len(after)]
    return before.count("\n"), len(before) - before.rfind("\n") - 1


def _unquoted(label: str) -> str:
    return label[1:-1] if label[:1] in ("'", '"') and label[-1:] == label[:1] else label


def _glob(pattern: str) -> re.Pattern[str]:
    """The globs of the protocol: `*`, `?`, `**`, `{a,b}`, `[a-z]`."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}
    parts |= {",": "|", "[": "[", "]": "]"}
    tokens = re.findall(r"\*\*/|\*\*|.", pattern)
    return re.compile("".join(parts.get(token) or re.escape(token) for token in tokens))
