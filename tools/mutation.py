"""Mutation testing: changes one thing in a module, and asks its tests whether they see it.

    python tools/mutation.py                  all modules of `TESTED`
    python tools/mutation.py merge records    those whose path contains one of these words
    python tools/mutation.py records::_usable::_fault   these functions alone

mutmut says what can be changed. It is not run itself: it starts pytest once per change, which
takes seconds here, and its wrappers disturb tests that count calls. Here pytest collects once
for each module. For each change a fork gives the functions that are there another code, and
runs the tests that call them, the fastest first, until one fails. Prints what survived, as diffs.

Not changed: what runs at import, defaults of arguments, and texts with a space: prose. Names
that only type checkers read, too. Linux and macOS.
"""
# mypy: disable-error-code="misc, no-any-return"

from __future__ import annotations

import difflib
import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeVar

import libcst as cst
import libcst.matchers as m
import pytest
from _pytest.runner import runtestprotocol
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).resolve().parent.parent
CORE = "src/registry_core"

#: Seconds of tests for each change.
ENOUGH = 5.0

T = TypeVar("T")

#: Module → the files with its tests.
TESTED = {
    f"{CORE}/_base/costs.py": ["tests/choosing/test_estimate_cost.py"],
    f"{CORE}/_catalog/filters.py": ["tests/choosing/test_find_models.py"],
    f"{CORE}/_catalog/finding.py": ["tests/choosing/test_find_models.py"],
    f"{CORE}/_catalog/journal.py": ["tests/test_journal.py"],
    f"{CORE}/_catalog/snapshot.py": [
        "tests/test_snapshot.py",
        "tests/test_long_ids.py",
        "tests/choosing/test_find_models.py",
    ],
    f"{CORE}/_catalog/store.py": [
        "tests/test_store.py",
        "tests/test_loading.py",
        "tests/files/test_places.py",
        "tests/reliability/test_policy.py",
    ],
    f"{CORE}/_catalog/usable.py": ["tests/choosing/test_find_models.py"],
    f"{CORE}/_config/load.py": [
        "tests/test_settings.py",
        "tests/test_variables.py",
        "tests/files/test_strangers.py",
        "tests/refresh/test_watching.py",
    ],
    f"{CORE}/_resolve/bindings.py": [
        "tests/resolve/test_bindings.py",
        "tests/resolve/test_routing.py",
        "tests/resolve/test_attacks.py",
    ],
    f"{CORE}/_sync/freshness.py": [
        "tests/syncing/test_freshness.py",
        "tests/syncing/test_clocks.py",
    ],
    f"{CORE}/_sync/merge.py": ["tests/test_merge.py"],
    f"{CORE}/records.py": ["tests/test_records.py"],
    f"{CORE}/settings.py": ["tests/test_settings.py", "tests/test_variables.py"],
    "plugins/registry-policy/src/registry_policy/__init__.py": [
        "plugins/registry-policy/tests/test_policy.py"
    ],
}


class Changes(MutationVisitor):
    """As mutmut's, but a decorated function is changed, too, and prose is not."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        if isinstance(node, (cst.Param, cst.Decorator)):
            return True
        if isinstance(node, cst.SimpleString) and " " in node.value:
            return True
        if m.matches(node, m.Call(m.Name("cast"))):
            return True
        return super()._skip_node_and_children(node)


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """Qualified name of a function, and the whole text with one change in it."""
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = Changes(mutation_operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    names: dict[cst.CSTNode, str] = {}
    for node in module.body:
        names[node] = node.name.value if isinstance(node, cst.FunctionDef) else ""
        if isinstance(node, cst.ClassDef):
            for inner in node.body.body:
                if isinstance(inner, cst.FunctionDef):
                    names[inner] = f"{node.name.value}.{inner.name.value}"
    for one in visitor.mutations:
        name = names.get(one.contained_by_top_level_function or module)
        old, new = one.original_node, one.mutated_node
        if _text_of(old) == _text_of(new) is not None:
            continue  # in another case; XX around it shows the same
        if name:
            changed = module.deep_replace(old, new)
            yield name, cst.ensure_type(changed, cst.Module).code


def _text_of(node: cst.CSTNode) -> str | None:
    return node.value.lower() if isinstance(node, cst.SimpleString) else None


def codes(code: CodeType) -> Iterator[CodeType]:
    """All the code objects in one."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from codes(const)


def below(code: CodeType, name: str) -> bool:
    return code.co_qualname == name or code.co_qualname.startswith(f"{name}.<locals>.")


def functions_of(path: str) -> list[FunctionType]:
    """All that an import has made of a file, decorated or not."""
    found = (one for one in gc.get_objects() if type(one) is FunctionType)
    return [one for one in found if one.__code__.co_filename == path]


def apply(text: str, functions: Sequence[FunctionType], path: str, name: str) -> bool:
    """Give those called so, and those made in them, the code that `text` has for them.
    False if one that an import made would need other variables around it."""
    fresh: dict[str, list[CodeType]] = defaultdict(list)
    for code in codes(compile(text, path, "exec", dont_inherit=True)):
        fresh[code.co_qualname].append(code)
    for one in functions:
        old = one.__code__
        new = fresh[old.co_qualname]
        if below(old, name) and len(new) == 1:
            if new[0].co_freevars != old.co_freevars:
                return False
            one.__code__ = new[0]
    return True


class Driver:
    """Instead of pytest's loop over the tests."""

    def __init__(self, module: str, wanted: Collection[str]) -> None:
        self.wanted = wanted
        self.path = str(ROOT / module)
        self.text = Path(self.path).read_text()
        place = module.rpartition("src/")[2].removesuffix(".py").removesuffix("/__init__")
        self.name = place.replace("/", ".")
        self.killed: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = session.items
        importlib.import_module(self.name)  # some are imported when they are asked for
        self.functions = functions_of(self.path)
        seconds, callers = forked(lambda: self.baseline(items))
        order = sorted(range(len(items)), key=seconds.__getitem__)
        for name, text in mutants(self.text):
            if self.wanted and name not in self.wanted:
                continue
            chosen: list[int] = []
            left = ENOUGH
            for one in order:
                if one in callers.get(name, ()) and (left > 0 or not chosen):
                    chosen.append(one)
                    left -= seconds[one]
            limit = int(3 + 5 * sum(seconds[one] for one in chosen))
            outcome, killer = "not called", None
            if chosen:
                outcome, killer = self.tried([items[one] for one in chosen], name, text, limit)
            self.killed[outcome] += 1
            if killer is not None:  # which sees the next change, too, more often than not
                order.remove(chosen[killer])
                order.insert(0, chosen[killer])
            if outcome == "survived":
                self.show(name, text)
        return True

    def show(self, name: str, text: str) -> None:
        old, new = self.text.splitlines(), text.splitlines()
        diff = [*difflib.unified_diff(old, new, n=0, lineterm="")]
        print(f"{self.path}:{diff[2].split()[1][1:]} {name}", *diff[3:], sep="\n", flush=True)

    def baseline(self, items: Sequence[pytest.Item]) -> tuple[list[float], dict[str, set[int]]]:
        """Seconds of the processor that each test takes, and which of them call which function."""
        seconds: list[float] = []
        callers: dict[str, set[int]] = defaultdict(set)
        for place, item in enumerate(items):

            def profile(frame: FrameType, event: str, _arg: Any, place: int = place) -> None:
                if event == "call" and frame.f_code.co_filename == self.path:
                    callers[frame.f_code.co_qualname.partition(".<locals>")[0]].add(place)

            start = time.process_time()  # a busy machine leaves out no test
            threading.setprofile(profile)
            sys.setprofile(profile)
            failed = not passed(item, next(iter(items[place + 1 :]), None))
            sys.setprofile(None)
            threading.setprofile(None)
            seconds.append(time.process_time() - start)
            if failed:
                print(f"fails unchanged, left out: {item.nodeid}", file=sys.stderr)
                for tests in callers.values():
                    tests.discard(place)
        return seconds, dict(callers)

    def tried(
        self, items: Sequence[pytest.Item], name: str, text: str, limit: int
    ) -> tuple[str, int | None]:
        """What became of this change, and which of `items` failed."""
        child = os.fork()
        if not child:
            # Of the processor: a busy machine ends nothing. Of the clock for what hangs.
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            signal.alarm(20 * limit)
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 1)
            os.dup2(devnull, 2)
            if not apply(text, self.functions, self.path, name):
                os._exit(1)
            for place, item in enumerate(items):
                if not passed(item, next(iter(items[place + 1 :]), None)):
                    os._exit(min(place + 2, 255))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return "timeout", None
        code = os.WEXITSTATUS(status)
        if code < 2:
            return ("survived", "out of reach")[code], None
        return "killed", code - 2


def passed(item: pytest.Item, following: pytest.Item | None) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return not any(one.failed for one in reports)


def forked(work: Callable[[], T]) -> T:
    """What `work` returns in a process of its own, which leaves no trace here."""
    reader, writer = os.pipe()
    if not os.fork():
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(work(), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        result: T = pickle.load(pipe)
    os.wait()
    return result


def run(module: str, functions: Collection[str]) -> None:
    driver = Driver(module, functions)
    options = ["-qq", "--no-summary", "-p", "no:cacheprovider"]
    start = time.monotonic()
    pytest.main([*options, *TESTED[module]], plugins=[driver])
    counts = ", ".join(f"{many} {what}" for what, many in sorted(driver.killed.items()))
    print(f"== {module}: {driver.killed.total()}: {counts}; {time.monotonic() - start:.0f} s")


def main(words: Sequence[str]) -> None:
    os.chdir(ROOT)
    for module in TESTED:
        asked = [rest for path, *rest in (one.split("::") for one in words) if path in module]
        if asked or not words:
            sys.stdout.flush()
            if not os.fork():
                run(module, {name for names in asked for name in names})
                sys.stdout.flush()
                os._exit(0)
            os.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
