"""Run in any Python environment: nanoseconds of lookups, beside a nested dict. JSON of
{name: statement} on standard input, with the preparation under "setup"."""

from __future__ import annotations

import json
import sys
import timeit

cases = json.load(sys.stdin)
setup = cases.pop("setup")
nested = 'table = {"openai": {"gpt-4o": 1}}\ndef nested(): return table["openai"]["gpt-4o"]'
names: dict[str, object] = {}
exec(f"{nested}\n{setup}", names)
statements = {"nested dict": "nested()"}
for number, (name, statement) in enumerate(cases.items()):
    exec(f"def case_{number}(): return {statement}", names)
    statements[name] = f"case_{number}()"
found: dict[str, list[float]] = {name: [] for name in statements}
timers = {name: timeit.Timer(one, globals=names) for name, one in statements.items()}
loops = {name: max(1, timer.autorange()[0] // 8) for name, timer in timers.items()}
for _ in range(15):
    for name, timer in timers.items():
        found[name].append(timer.timeit(loops[name]) / loops[name] * 1e9)
print(json.dumps(found))
