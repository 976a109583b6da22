"""Keys that LiteLLM's map has dropped since their models were shut off.

Those of LiteLLM 1.7.9 to 1.104.7 that had a day, and what the providers' own pages say of others.
"""

from __future__ import annotations

from collections.abc import Mapping

_ANTHROPIC = "https://docs.anthropic.com/en/docs/about-claude/model-deprecations"
_GOOGLE = "https://ai.google.dev/gemini-api/docs/deprecations"
_OPENAI = "https://platform.openai.com/docs/deprecations"

#: LiteLLM's provider, the day, the page that says so, and the keys.
_DAYS: tuple[tuple[str, str, str | None, str], ...] = (
    (
        "anthropic",
        "2024-11-06",
        _ANTHROPIC,
        "claude-1 claude-1.0 claude-1.1 claude-1.2 claude-1.3 claude-instant-1 claude-instant-1.0 "
        "claude-instant-1.1 claude-instant-1.2",
    ),
    ("anthropic", "2025-03-01", None, "claude-3-haiku-20240307"),
    (
        "anthropic",
        "2025-07-21",
        _ANTHROPIC,
        "claude-2 claude-2.0 claude-2.1 claude-3-sonnet-20240229",
    ),
    (
        "anthropic",
        "2025-10-28",
        _ANTHROPIC,
        "claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022 claude-3-5-sonnet-latest",
    ),
    ("anthropic", "2026-01-05", _ANTHROPIC, "claude-3-opus-20240229 claude-3-opus-latest"),
    (
        "anthropic",
        "2026-02-19",
        _ANTHROPIC,
        "claude-3-5-haiku-20241022 claude-3-5-haiku-latest claude-3-7-sonnet-20250219 "
        "claude-3-7-sonnet-latest",
    ),
    ("anthropic", "2026-05-14", None, "claude-opus-4-20250514 claude-sonnet-4-20250514"),
    ("anthropic", "2026-08-05", None, "claude-opus-4-1-20250805"),
    ("azure", "2025-02-13", None, "azure/gpt-35-turbo-0301 azure/gpt-35-turbo-0613"),
    (
        "azure",
        "2025-03-26",
        None,
        "azure/eu/gpt-4o-realtime-preview-2024-10-01 azure/gpt-4o-realtime-preview-2024-10-01 "
        "azure/us/gpt-4o-realtime-preview-2024-10-01",
    ),
    ("azure", "2025-03-31", None, "azure/gpt-3.5-turbo-0125 azure/gpt-35-turbo-1106"),
    ("azure", "2025-04-30", None, "azure/gpt-35-turbo-16k azure/gpt-35-turbo-16k-0613"),
    ("azure", "2025-05-31", None, "azure/gpt-35-turbo-0125"),
    (
        "azure",
        "2025-06-06",
        None,
        "azure/gpt-4 azure/gpt-4-0613 azure/gpt-4-32k azure/gpt-4-32k-0613",
    ),
    ("azure", "2025-06-30", None, "azure/command-r-plus"),
    ("azure", "2025-07-14", None, "azure/gpt-4.5-preview"),
    ("azure", "2025-07-28", None, "azure/eu/o1-preview azure/us/o1-preview"),
    ("azure_ai", "2025-03-01", None, "azure_ai/jamba-instruct"),
    ("azure_ai", "2025-04-15", None, "azure_ai/mistral-large"),
    ("azure_ai", "2025-05-13", None, "azure_ai/mistral-large-2407"),
    (
        "azure_ai",
        "2025-06-30",
        None,
        "azure_ai/Meta-Llama-3-70B-Instruct azure_ai/Meta-Llama-3.1-70B-Instruct "
        "azure_ai/cohere-rerank-v3-english azure_ai/cohere-rerank-v3-multilingual",
    ),
    ("azure_ai", "2025-07-31", None, "azure_ai/mistral-small"),
    (
        "azure_ai",
        "2025-08-30",
        None,
        "azure_ai/Phi-3-medium-128k-instruct azure_ai/Phi-3-medium-4k-instruct "
        "azure_ai/Phi-3-mini-128k-instruct azure_ai/Phi-3-mini-4k-instruct "
        "azure_ai/Phi-3-small-128k-instruct azure_ai/Phi-3-small-8k-instruct "
        "azure_ai/Phi-3.5-MoE-instruct azure_ai/Phi-3.5-mini-instruct "
        "azure_ai/Phi-3.5-vision-instruct",
    ),
    ("azure_ai", "2025-08-31", None, "azure_ai/deepseek-v3"),
    ("cerebras", "2026-01-20", None, "cerebras/zai-glm-4.6"),
    ("deepinfra", "2026-06-01", None, "deepinfra/google/gemini-2.0-flash-001"),
    (
        "gemini",
        "2025-02-15",
        _GOOGLE,
        "gemini/gemini-1.0-pro gemini/gemini-1.0-pro-001 gemini/gemini-1.0-pro-latest "
        "gemini/gemini-pro",
    ),
    ("gemini", "2025-05-24", None, "gemini/gemini-1.5-flash-001 gemini/gemini-1.5-pro-001"),
    (
        "gemini",
        "2025-09-29",
        _GOOGLE,
        "gemini/gemini-1.5-flash gemini/gemini-1.5-flash-002 gemini/gemini-1.5-flash-8b "
        "gemini/gemini-1.5-flash-8b-latest gemini/gemini-1.5-flash-latest gemini/gemini-1.5-pro "
        "gemini/gemini-1.5-pro-002 gemini/gemini-1.5-pro-latest",
    ),
    ("gemini", "2025-11-10", None, "gemini/imagen-3.0-generate-002"),
    (
        "gemini",
        "2025-11-14",
        None,
        "gemini-2.0-flash-exp-image-generation gemini/gemini-2.0-flash-exp-image-generation",
    ),
    ("gemini", "2025-11-18", None, "gemini/gemini-2.5-flash-lite-preview-06-17"),
    ("gemini", "2026-03-09", None, "gemini/gemini-3-pro-preview"),
    (
        "gemini",
        "2026-06-01",
        None,
        "gemini/gemini-2.0-flash gemini/gemini-2.0-flash-001 gemini/gemini-2.0-flash-lite "
        "gemini/gemini-2.0-flash-lite-001",
    ),
    ("groq", "2024-10-28", None, "groq/llama-3.2-11b-text-preview"),
    ("groq", "2024-11-25", None, "groq/llama-3.2-90b-text-preview"),
    ("groq", "2024-12-18", None, "groq/gemma-7b-it"),
    (
        "groq",
        "2025-01-06",
        None,
        "groq/llama3-groq-70b-8192-tool-use-preview groq/llama3-groq-8b-8192-tool-use-preview",
    ),
    ("groq", "2025-01-24", None, "groq/llama-3.1-70b-versatile"),
    ("groq", "2025-03-20", None, "groq/mixtral-8x7b-32768"),
    (
        "groq",
        "2025-04-14",
        None,
        "groq/llama-3.2-11b-vision-preview groq/llama-3.2-1b-preview groq/llama-3.2-3b-preview "
        "groq/llama-3.2-90b-vision-preview groq/llama-3.3-70b-specdec",
    ),
    ("groq", "2025-06-06", None, "groq/llama-guard-3-8b"),
    (
        "moonshot",
        "2024-04-30",
        None,
        "moonshot/moonshot-v1-128k-0430 moonshot/moonshot-v1-32k-0430 moonshot/moonshot-v1-8k-0430",
    ),
    ("moonshot", "2025-11-11", None, "moonshot/kimi-thinking-preview"),
    (
        "moonshot",
        "2026-01-28",
        None,
        "moonshot/kimi-latest-128k moonshot/kimi-latest-32k moonshot/kimi-latest-8k",
    ),
    (
        "moonshot",
        "2026-05-25",
        None,
        "moonshot/kimi-k2-0711-preview moonshot/kimi-k2-0905-preview moonshot/kimi-k2-thinking "
        "moonshot/kimi-k2-thinking-turbo moonshot/kimi-k2-turbo-preview",
    ),
    (
        "openai",
        "2024-01-04",
        _OPENAI,
        "text-ada-001 text-babbage-001 text-curie-001 text-davinci-001 text-davinci-002 "
        "text-davinci-003",
    ),
    (
        "openai",
        "2024-09-13",
        _OPENAI,
        "gpt-3.5-turbo-0301 gpt-3.5-turbo-0613 gpt-3.5-turbo-16k-0613",
    ),
    ("openai", "2024-12-06", _OPENAI, "gpt-4-1106-vision-preview gpt-4-vision-preview"),
    ("openai", "2025-06-06", _OPENAI, "gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613"),
    ("openai", "2025-07-14", _OPENAI, "gpt-4.5-preview gpt-4.5-preview-2025-02-27"),
    ("openai", "2025-07-28", _OPENAI, "o1-preview o1-preview-2024-09-12"),
    (
        "openai",
        "2025-10-27",
        _OPENAI,
        "o1-mini o1-mini-2024-09-12 text-moderation-007 text-moderation-latest "
        "text-moderation-stable",
    ),
    ("openai", "2026-02-17", _OPENAI, "chatgpt-4o-latest"),
    ("openai", "2026-03-26", _OPENAI, "gpt-4-0125-preview gpt-4-0314 gpt-4-turbo-preview"),
    ("openai", "2026-05-12", _OPENAI, "dall-e-2 dall-e-3"),
    ("openrouter", "2026-06-01", None, "openrouter/google/gemini-2.0-flash-001"),
    (
        "perplexity",
        "2025-02-22",
        None,
        "perplexity/llama-3.1-sonar-huge-128k-online perplexity/llama-3.1-sonar-large-128k-chat "
        "perplexity/llama-3.1-sonar-large-128k-online perplexity/llama-3.1-sonar-small-128k-chat "
        "perplexity/llama-3.1-sonar-small-128k-online",
    ),
    ("together_ai", "2024-08-22", None, "together_ai/deepseek-ai/deepseek-coder-33b-instruct"),
    (
        "together_ai",
        "2025-08-28",
        None,
        "together_ai/NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO "
        "together_ai/Qwen/Qwen2-72B-Instruct together_ai/Qwen/Qwen2-VL-72B-Instruct "
        "together_ai/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B together_ai/google/gemma-2-27b-it "
        "together_ai/meta-llama/Llama-3-8b-chat-hf "
        "together_ai/meta-llama/Meta-Llama-3-8B-Instruct "
        "together_ai/nvidia/Llama-3.1-Nemotron-70B-Instruct-HF",
    ),
    (
        "together_ai",
        "2025-11-13",
        None,
        "together_ai/Qwen/QwQ-32B together_ai/Qwen/Qwen2.5-Coder-32B-Instruct "
        "together_ai/deepseek-ai/DeepSeek-R1-Distill-Qwen-14B "
        "together_ai/mistralai/Mistral-7B-Instruct-v0.1",
    ),
    (
        "together_ai",
        "2025-12-23",
        None,
        "together_ai/deepseek-ai/DeepSeek-R1-Distill-Llama-70B "
        "together_ai/meta-llama/Meta-Llama-3-70B-Instruct-Turbo",
    ),
    (
        "vercel_ai_gateway",
        "2026-06-01",
        None,
        "vercel_ai_gateway/google/gemini-2.0-flash vercel_ai_gateway/google/gemini-2.0-flash-lite",
    ),
    (
        "vertex_ai-anthropic_models",
        "2025-08-01",
        None,
        "vertex_ai/claude-3-opus vertex_ai/claude-3-opus@20240229",
    ),
    ("vertex_ai-anthropic_models", "2026-05-11", None, "vertex_ai/claude-3-7-sonnet@20250219"),
    ("vertex_ai-language-models", "2025-04-09", None, "gemini-1.0-pro-001 gemini-1.0-pro-002"),
    ("vertex_ai-language-models", "2025-05-24", None, "gemini-1.5-flash-001 gemini-1.5-pro-001"),
    ("vertex_ai-language-models", "2025-09-24", None, "gemini-1.5-flash-002 gemini-1.5-pro-002"),
    ("vertex_ai-language-models", "2025-11-18", None, "gemini-2.5-flash-lite-preview-06-17"),
    (
        "vertex_ai-language-models",
        "2026-06-01",
        None,
        "gemini-2.0-flash-001 gemini-2.0-flash-lite-001",
    ),
    ("xai", "2026-02-28", None, "xai/grok-2-vision-1212 xai/grok-3-mini xai/grok-3-mini-beta"),
    (
        "xai",
        "2026-05-15",
        None,
        "xai/grok-3 xai/grok-4-0709 xai/grok-4-1-fast-non-reasoning "
        "xai/grok-4-1-fast-non-reasoning-latest xai/grok-4-1-fast-reasoning "
        "xai/grok-4-1-fast-reasoning-latest xai/grok-4-fast-non-reasoning "
        "xai/grok-4-fast-reasoning",
    ),
)

#: As rows of the map.
RETIRED: Mapping[str, Mapping[str, str]] = {
    key: {
        "litellm_provider": provider,
        "deprecation_date": day,
        **({"deprecation_source": page} if page else {}),
    }
    for provider, day, page, keys in _DAYS
    for key in keys.split()
}
