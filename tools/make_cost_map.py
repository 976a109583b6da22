"""Make the cost map that ships in registry-facts-litellm's wheel.

    python tools/make_cost_map.py FILE --version VERSION [--captured DATE]

FILE is LiteLLM's map: `litellm/model_prices_and_context_window_backup.json` of its wheel of
that version, say. What the plugin does not read is left out.
"""

from __future__ import annotations

import argparse
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import registry_facts_litellm as plugin
from registry_facts_litellm import mapping

MAP = Path(plugin.__file__).parent / "cost_map.json"
READ = re.compile(
    f"({'|'.join(plugin.PRICES)})(_above_[0-9]+k_tokens)?|{'|'.join(plugin.LIMITS)}"
    "|litellm_provider|deprecation_date|deprecation_source|successor_model"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--version", required=True)
    parser.add_argument("--captured", default=f"{datetime.now(UTC):%Y-%m-%d}")
    asked = parser.parse_args()
    rows = json.loads(asked.file.read_text("utf-8"))
    kept = {
        key: {name: value for name, value in row.items() if READ.fullmatch(name)}
        for key, row in sorted(rows.items())
        if mapping.full_id(key, row)
    }
    held = {"captured": asked.captured, "litellm": asked.version, "map": kept}
    text = json.dumps(held, ensure_ascii=False, separators=(",", ":"))
    MAP.write_text(text.replace('},"', '},\n"') + "\n", "utf-8")
    print(f"{len(kept)} of {len(rows)} keys: {MAP}")


if __name__ == "__main__":
    main()
