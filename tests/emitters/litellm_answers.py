"""Run with LiteLLM's Python: what it answers, as JSON on standard output.

python litellm_answers.py < {"keys": […], "register": {…}, "usages": {name: […]}}

`keys`: models to ask for; `register`: what to add to the map first; `usages`: prompt,
completion and cached tokens to price.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import litellm
from litellm.litellm_core_utils.get_model_cost_map import get_model_cost_map_source_info
from litellm.types.utils import ModelResponse, PromptTokensDetailsWrapper, Usage


def cost(key: str, prompt: int, completion: int, cached: int) -> float:
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens=cached),
    )
    return litellm.completion_cost(ModelResponse(model=key, usage=usage), model=key)


def main() -> None:
    asked = json.load(sys.stdin)
    source = get_model_cost_map_source_info()
    litellm.register_model(asked["register"])
    answers: dict[str, Any] = {
        "source": source["source"],
        "models": len(litellm.model_cost),
        "names": sorted({str(one.value) for one in litellm.provider_list}),
        "map": {key: litellm.model_cost.get(key) for key in asked["keys"]},
        "info": {key: litellm.get_model_info(key) for key in asked["keys"]},
        "cost": {
            key: {name: cost(key, *usage) for name, usage in asked["usages"].items()}
            for key in asked["keys"]
        },
    }
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
