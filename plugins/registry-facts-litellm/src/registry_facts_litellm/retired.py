"""Models that were shut off, of which LiteLLM's map has no day: code may still name them.

A row has the day that the provider gives on the page, as checked on stored copies, also where the
page has dropped the row since. Where it names only one of an alias and the dated id that it stands
for, the other has the same day. Where it gives several days, by region or in several notices, it is
the last: from then on no request is answered. Two notices of Perplexity, which its change log does
not have in full, have the page that quotes them.

A row without a page has the day that LiteLLM 1.7.9 to 1.104.7 gave, which may be too early: some
are the earliest day that the provider had announced.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from registry_core import Facts

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: Our provider, the page, the day, and the ids of that day.
ROWS = """
alibaba: https://www.alibabacloud.com/help/en/model-studio/model-depreciation
    2025-08-20 qwen1.5-7b-chat qwen1.5-14b-chat qwen1.5-32b-chat qwen1.5-72b-chat qwen1.5-110b-chat
        qwen2-7b-instruct qwen2-57b-a14b-instruct qwen2-72b-instruct
    2026-01-30 qwen-plus-2024-08-06 qwen-plus-2024-09-19 qwen-plus-2024-11-25 qwen-plus-2024-11-27
        qwen-turbo-2024-09-19 qwen-vl-max-2024-08-09 qwen-vl-max-2024-10-30 qwen-vl-plus-2024-08-09
    2026-05-30 gte-rerank

amazon-bedrock: https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html
    2024-02-28 anthropic.claude-v1
    2024-04-30 stability.stable-diffusion-xl-v0
    2024-10-30 meta.llama2-13b-v1 meta.llama2-13b-chat-v1 meta.llama2-70b-v1 meta.llama2-70b-chat-v1
    2025-03-12 ai21.j2-grande-instruct ai21.j2-jumbo-instruct ai21.j2-mid-v1 ai21.j2-ultra-v1
    2025-05-20 stability.stable-diffusion-xl-v1
    2025-07-21 anthropic.claude-instant-v1 anthropic.claude-v2 anthropic.claude-v2:1
    2025-08-01 ai21.jamba-instruct-v1:0
    2025-08-12 cohere.command-text-v14 cohere.command-light-text-v14
    2025-08-15 amazon.titan-text-premier-v1:0 amazon.titan-text-express-v1
        amazon.titan-text-lite-v1 amazon.titan-image-generator-v1
    2025-09-04 stability.sd3-large-v1:0 stability.stable-image-core-v1:0
        stability.stable-image-ultra-v1:0
    2026-01-15 anthropic.claude-3-opus-20240229-v1:0 us.anthropic.claude-3-opus-20240229-v1:0
        eu.anthropic.claude-3-opus-20240229-v1:0
    2026-05-31 anthropic.claude-opus-4-20250514-v1:0 us.anthropic.claude-opus-4-20250514-v1:0
        eu.anthropic.claude-opus-4-20250514-v1:0
    2026-06-19 anthropic.claude-3-5-haiku-20241022-v1:0 us.anthropic.claude-3-5-haiku-20241022-v1:0
        eu.anthropic.claude-3-5-haiku-20241022-v1:0
    2026-07-30 anthropic.claude-3-sonnet-20240229-v1:0 us.anthropic.claude-3-sonnet-20240229-v1:0
        eu.anthropic.claude-3-sonnet-20240229-v1:0 apac.anthropic.claude-3-sonnet-20240229-v1:0
        anthropic.claude-3-5-sonnet-20240620-v1:0 us.anthropic.claude-3-5-sonnet-20240620-v1:0
        eu.anthropic.claude-3-5-sonnet-20240620-v1:0 apac.anthropic.claude-3-5-sonnet-20240620-v1:0
        anthropic.claude-3-5-sonnet-20241022-v2:0 us.anthropic.claude-3-5-sonnet-20241022-v2:0
        eu.anthropic.claude-3-5-sonnet-20241022-v2:0 apac.anthropic.claude-3-5-sonnet-20241022-v2:0
        anthropic.claude-3-7-sonnet-20250219-v1:0 us.anthropic.claude-3-7-sonnet-20250219-v1:0
        eu.anthropic.claude-3-7-sonnet-20250219-v1:0 apac.anthropic.claude-3-7-sonnet-20250219-v1:0
    2026-08-19 cohere.command-r-v1:0 cohere.command-r-plus-v1:0
    2026-09-10 anthropic.claude-3-haiku-20240307-v1:0 us.anthropic.claude-3-haiku-20240307-v1:0
        eu.anthropic.claude-3-haiku-20240307-v1:0 apac.anthropic.claude-3-haiku-20240307-v1:0
    2026-09-14 amazon.nova-premier-v1:0 us.amazon.nova-premier-v1:0 amazon.nova-sonic-v1:0
    2026-09-30 amazon.nova-reel-v1:0 amazon.nova-reel-v1:1

anthropic: https://docs.anthropic.com/en/docs/about-claude/model-deprecations
    2024-11-06 claude-1 claude-1.0 claude-1.1 claude-1.2 claude-1.3 claude-instant-1
        claude-instant-1.0 claude-instant-1.1 claude-instant-1.2
    2025-07-21 claude-2 claude-2.0 claude-2.1 claude-3-sonnet-20240229
    2025-10-28 claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022 claude-3-5-sonnet-latest
    2026-01-05 claude-3-opus-20240229 claude-3-opus-latest
    2026-02-19 claude-3-5-haiku-20241022 claude-3-5-haiku-latest claude-3-7-sonnet-20250219
        claude-3-7-sonnet-latest
    2026-04-20 claude-3-haiku-20240307
    2026-06-15 claude-opus-4-0 claude-opus-4-20250514 claude-sonnet-4-0 claude-sonnet-4-20250514
    2026-08-05 claude-opus-4-1 claude-opus-4-1-20250805

azure: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/concepts/legacy-models
    2024-06-14 babbage curie davinci code-cushman-001 code-davinci-002 text-ada-001
        text-babbage-001 text-curie-001 text-davinci-002 text-davinci-003 text-similarity-ada-001
        text-similarity-babbage-001 text-similarity-curie-001 text-similarity-davinci-001
        text-search-ada-doc-001 text-search-ada-query-001 text-search-babbage-doc-001
        text-search-babbage-query-001 text-search-curie-doc-001 text-search-curie-query-001
        text-search-davinci-doc-001 text-search-davinci-query-001 code-search-ada-code-001
        code-search-ada-text-001 code-search-babbage-code-001 code-search-babbage-text-001
    2025-01-27 babbage-002 davinci-002 dall-e-2
    2025-02-13 gpt-35-turbo-0301 gpt-35-turbo-0613
    2025-03-26 gpt-4o-realtime-preview-2024-10-01
    2025-04-30 gpt-35-turbo-16k gpt-35-turbo-16k-0613
    2025-06-06 gpt-4-0314 gpt-4-0613 gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613
    2025-07-14 gpt-4.5-preview
    2025-07-28 o1-preview
azure: https://learn.microsoft.com/en-us/azure/ai-foundry/concepts/model-lifecycle-retirement
    2025-04-15 mistral-large
    2025-05-13 mistral-large-2407
    2025-06-30 Llama-2-7b Llama-2-7b-chat Llama-2-13b Llama-2-13b-chat Llama-2-70b Llama-2-70b-chat
        Meta-Llama-3-8B-Instruct Meta-Llama-3-70B-Instruct Meta-Llama-3.1-70B-Instruct
        cohere-rerank-v3-english cohere-rerank-v3-multilingual
    2025-07-31 mistral-small
    2025-08-01 AI21-Jamba-1.5-Large AI21-Jamba-1.5-Mini
    2025-08-30 Phi-3-mini-4k-instruct Phi-3-mini-128k-instruct Phi-3-small-8k-instruct
        Phi-3-small-128k-instruct Phi-3-medium-4k-instruct Phi-3-medium-128k-instruct
        Phi-3.5-mini-instruct Phi-3.5-MoE-instruct Phi-3.5-vision-instruct
    2025-08-31 deepseek-v3
    2026-01-30 mistral-large-2411 mistral-ocr-2503
azure:
    2025-03-01 jamba-instruct
    2025-03-31 gpt-3.5-turbo-0125 gpt-35-turbo-1106
    2025-05-31 gpt-35-turbo-0125
    2025-06-06 gpt-4
    2025-06-30 command-r-plus

cerebras: https://inference-docs.cerebras.ai/support/deprecation
    2025-07-29 qwen-3-235b-a22b
    2025-08-12 deepseek-r1-distill-llama-70b
    2025-10-15 llama-4-maverick-17b-128e-instruct
    2025-11-03 llama-4-scout-17b-16e-instruct
    2025-11-05 qwen-3-coder-480b
    2025-11-14 qwen-3-235b-a22b-thinking-2507
    2026-01-20 zai-glm-4.6
    2026-05-27 qwen-3-235b-a22b-instruct-2507
    2026-08-17 zai-glm-4.7

cohere: https://docs.cohere.com/docs/deprecations
    2025-04-30 rerank-english-v2.0 rerank-multilingual-v2.0
    2025-09-15 command command-light command-r command-r-03-2024 command-r-plus
        command-r-plus-04-2024
    2026-04-04 c4ai-aya-expanse-8b c4ai-aya-vision-8b embed-english-v2.0 embed-english-light-v2.0
        embed-multilingual-v2.0

deepinfra:
    2026-06-01 google/gemini-2.0-flash-001

google: https://ai.google.dev/gemini-api/docs/changelog
    2024-07-12 gemini-1.0-pro-vision gemini-1.0-pro-vision-001 gemini-1.0-pro-vision-latest
        gemini-pro-vision
    2025-02-18 gemini-1.0-pro gemini-1.0-pro-001 gemini-1.0-pro-latest gemini-pro
    2025-09-29 gemini-1.5-flash gemini-1.5-flash-8b gemini-1.5-flash-8b-latest
        gemini-1.5-flash-latest gemini-1.5-pro gemini-1.5-pro-latest
    2025-11-14 gemini-2.0-flash-exp-image-generation
    2025-11-18 gemini-2.5-flash-lite-preview-06-17
    2025-12-02 gemini-2.0-flash-thinking-exp gemini-2.0-flash-thinking-exp-01-21
        gemini-2.0-flash-thinking-exp-1219
    2025-12-09 gemini-2.0-flash-exp gemini-2.0-pro-exp gemini-2.0-pro-exp-02-05
google: https://ai.google.dev/gemini-api/docs/deprecations
    2025-10-30 embedding-001 embedding-gecko-001 gemini-embedding-exp gemini-embedding-exp-03-07
    2025-11-10 imagen-3.0-generate-002
    2025-11-12 veo-3.0-fast-generate-preview veo-3.0-generate-preview
    2025-11-14 gemini-2.0-flash-preview-image-generation
    2025-11-18 gemini-2.5-flash-preview-05-20
    2025-12-02 gemini-2.5-pro-preview-03-25 gemini-2.5-pro-preview-05-06
        gemini-2.5-pro-preview-06-05
    2025-12-09 gemini-2.0-flash-lite-preview gemini-2.0-flash-lite-preview-02-05
        gemini-2.0-flash-live-001 gemini-live-2.5-flash-preview
    2026-01-14 text-embedding-004
    2026-01-15 gemini-2.5-flash-image-preview
    2026-02-17 imagen-4.0-generate-preview-06-06 imagen-4.0-ultra-generate-preview-06-06
    2026-03-09 gemini-3-pro-preview
    2026-03-31 gemini-2.5-flash-lite-preview-09-2025
    2026-04-30 gemini-robotics-er-1.5-preview
    2026-06-01 gemini-2.0-flash gemini-2.0-flash-001 gemini-2.0-flash-lite gemini-2.0-flash-lite-001
    2026-06-30 veo-2.0-generate-001 veo-3.0-fast-generate-001 veo-3.0-generate-001
    2026-08-17 imagen-4.0-fast-generate-001 imagen-4.0-generate-001 imagen-4.0-ultra-generate-001
    2026-08-31 gemini-robotics-er-1.6-preview
google:
    2025-05-24 gemini-1.5-flash-001 gemini-1.5-pro-001
    2025-09-24 gemini-1.5-flash-002 gemini-1.5-pro-002

google-vertex: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions
    2024-07-06 chat-bison@001 code-bison@001 code-gecko@001 codechat-bison@001 text-bison@001
    2025-04-21 chat-bison chat-bison@002 code-gecko code-gecko@002 gemini-1.0-pro
        gemini-1.0-pro-001 gemini-1.0-pro-002 gemini-1.0-pro-vision gemini-1.0-pro-vision-001
        gemini-pro gemini-pro-vision text-bison text-bison@002 textembedding-gecko@001
        textembedding-gecko@002
    2025-05-24 gemini-1.5-flash-001 gemini-1.5-pro-001 textembedding-gecko textembedding-gecko@003
        textembedding-gecko-multilingual textembedding-gecko-multilingual@001
    2025-09-24 gemini-1.5-flash gemini-1.5-flash-002 gemini-1.5-pro gemini-1.5-pro-002 imagetext
    2026-06-01 gemini-2.0-flash-001 gemini-2.0-flash-lite-001
    2026-06-30 veo-3.0-fast-generate-001 veo-3.0-generate-001
google-vertex: https://cloud.google.com/vertex-ai/generative-ai/docs/deprecations
    2025-04-09 chat-bison-32k chat-bison-32k@002 code-bison code-bison@002 code-bison-32k
        code-bison-32k@002 codechat-bison codechat-bison@002 codechat-bison-32k
        codechat-bison-32k@002 text-bison-32k text-bison-32k@002 text-unicorn text-unicorn@001
google-vertex: https://cloud.google.com/vertex-ai/generative-ai/docs/deprecations/partner-models
    2025-08-01 claude-3-opus claude-3-opus@20240229
    2026-01-23 codestral-2501 mistral-large-2411
    2026-02-19 claude-3-5-sonnet-v2 claude-3-5-sonnet-v2@20241022
    2026-02-27 jamba-1.5-large jamba-1.5-mini
    2026-05-11 claude-3-7-sonnet claude-3-7-sonnet@20250219
google-vertex:
    2025-11-18 gemini-2.5-flash-lite-preview-06-17

groq: https://console.groq.com/docs/deprecations
    2024-10-28 llama-3.2-11b-text-preview llava-v1.5-7b-4096-preview
    2024-11-25 llama-3.2-90b-text-preview
    2024-12-18 gemma-7b-it
    2025-01-06 llama3-groq-70b-8192-tool-use-preview llama3-groq-8b-8192-tool-use-preview
    2025-01-24 llama-3.1-70b-specdec llama-3.1-70b-versatile
    2025-03-20 mixtral-8x7b-32768
    2025-04-14 deepseek-r1-distill-llama-70b-specdec deepseek-r1-distill-qwen-32b
        llama-3.2-1b-preview llama-3.2-3b-preview llama-3.2-11b-vision-preview
        llama-3.2-90b-vision-preview llama-3.3-70b-specdec qwen-2.5-32b qwen-2.5-coder-32b
    2025-06-06 llama-guard-3-8b
    2025-07-14 qwen-qwq-32b
    2025-07-30 mistral-saba-24b
    2025-08-23 distil-whisper-large-v3-en
    2025-08-30 llama3-8b-8192 llama3-70b-8192
    2025-10-02 deepseek-r1-distill-llama-70b
    2025-10-08 gemma2-9b-it
    2025-10-10 moonshotai/kimi-k2-instruct
    2025-12-31 playai-tts playai-tts-arabic
    2026-03-05 meta-llama/llama-guard-4-12b
    2026-03-09 meta-llama/llama-4-maverick-17b-128e-instruct
    2026-04-15 moonshotai/kimi-k2-instruct-0905
    2026-07-17 meta-llama/llama-4-scout-17b-16e-instruct qwen/qwen3-32b
    2026-08-16 llama-3.1-8b-instant llama-3.3-70b-versatile

mistral: https://docs.mistral.ai/getting-started/models/models_overview
    2025-03-30 mistral-large-2407 mistral-small-2312 mistral-tiny mistral-tiny-2312 open-mistral-7b
        open-mixtral-8x7b open-mixtral-8x22b open-mixtral-8x22b-2404
    2025-06-06 codestral-mamba-2407 open-codestral-mamba
    2025-06-16 codestral-2405 mistral-large-2402 mistral-medium-2312 mistral-small-2402
    2025-09-30 mistral-saba-2502
    2025-11-30 codestral-2501 devstral-small-2505 magistral-medium-2506 magistral-medium-2507
        magistral-small-2506 magistral-small-2507 mistral-small-2409 mistral-small-2501
        mistral-small-2503
    2025-12-31 ministral-3b-2410 ministral-8b-2410 mistral-ocr-2503 pixtral-12b-2409
    2026-03-31 labs-devstral-small-2512
    2026-04-30 labs-mistral-small-creative
    2026-05-31 devstral-medium-2507 devstral-small-2507 mistral-large-2411 mistral-ocr-2505
        pixtral-large-2411 voxtral-mini-2507
    2026-06-30 labs-leanstral-2603 mistral-moderation-2411
    2026-07-31 devstral-2512 magistral-medium-2509 magistral-small-2509 mistral-small-2506
        open-mistral-nemo-2407
    2026-08-31 mistral-medium-2505 mistral-medium-2508

moonshotai:
    2024-04-30 moonshot-v1-128k-0430 moonshot-v1-32k-0430 moonshot-v1-8k-0430
    2025-11-11 kimi-thinking-preview
    2026-01-28 kimi-latest-128k kimi-latest-32k kimi-latest-8k
    2026-05-25 kimi-k2-0711-preview kimi-k2-0905-preview kimi-k2-thinking kimi-k2-thinking-turbo
        kimi-k2-turbo-preview

openai: https://platform.openai.com/docs/deprecations
    2023-03-23 code-cushman-001 code-cushman-002 code-davinci-001
    2024-01-04 ada babbage curie davinci code-davinci-002 code-davinci-edit-001
        text-davinci-edit-001 text-ada-001 text-babbage-001 text-curie-001 text-davinci-001
        text-davinci-002 text-davinci-003 text-similarity-ada-001 text-similarity-babbage-001
        text-similarity-curie-001 text-similarity-davinci-001 text-search-ada-doc-001
        text-search-ada-query-001 text-search-babbage-doc-001 text-search-babbage-query-001
        text-search-curie-doc-001 text-search-curie-query-001 text-search-davinci-doc-001
        text-search-davinci-query-001 code-search-ada-code-001 code-search-ada-text-001
        code-search-babbage-code-001 code-search-babbage-text-001
    2024-09-13 gpt-3.5-turbo-0301 gpt-3.5-turbo-0613 gpt-3.5-turbo-16k-0613
    2024-12-06 gpt-4-1106-vision-preview gpt-4-vision-preview
    2025-06-06 gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613
    2025-07-14 gpt-4.5-preview gpt-4.5-preview-2025-02-27
    2025-07-28 o1-preview o1-preview-2024-09-12
    2025-10-10 gpt-4o-audio-preview-2024-10-01 gpt-4o-realtime-preview-2024-10-01
    2025-10-27 o1-mini o1-mini-2024-09-12 text-moderation-007 text-moderation-latest
        text-moderation-stable
    2026-02-12 codex-mini-latest
    2026-02-17 chatgpt-4o-latest
    2026-03-26 gpt-4-0125-preview gpt-4-0314 gpt-4-turbo-preview gpt-4-turbo-preview-completions
    2026-05-07 gpt-4o-audio-preview gpt-4o-mini-audio-preview gpt-4o-mini-realtime-preview
        gpt-4o-realtime-preview gpt-4o-realtime-preview-2024-12-17
        gpt-4o-realtime-preview-2025-06-03
    2026-05-12 dall-e-2 dall-e-3
    2026-07-23 gpt-4o-mini-search-preview gpt-4o-search-preview gpt-realtime-mini-2025-10-06
    2026-09-24 sora-2-2025-10-06 sora-2-2025-12-08 sora-2-pro-2025-10-06
    2026-09-28 gpt-3.5-turbo-instruct-0914
    2026-10-23 gpt-3.5-turbo-completions gpt-4-0613-completions gpt-4-completions
        gpt-4-turbo-completions

openrouter:
    2026-06-01 google/gemini-2.0-flash-001

perplexity: https://docs.perplexity.ai/docs/resources/changelog
    2024-05-14 codellama-70b-instruct mixtral-8x22b-instruct pplx-7b-chat pplx-7b-online
    2024-08-12 llama-3-8b-instruct llama-3-70b-instruct llama-3-sonar-large-32k-chat
        llama-3-sonar-large-32k-online llama-3-sonar-small-32k-chat llama-3-sonar-small-32k-online
        mistral-7b-instruct mixtral-8x7b-instruct
    2025-02-22 llama-3.1-sonar-huge-128k-online llama-3.1-sonar-large-128k-online
        llama-3.1-sonar-small-128k-online
    2025-08-01 r1-1776
    2025-12-15 sonar-reasoning
perplexity: https://github.com/mckaywrigley/chatbot-ui/pull/1483
    2024-03-15 codellama-34b-instruct llama-2-70b-chat
perplexity: https://github.com/hex/llm-perplexity/issues/4
    2024-05-14 pplx-8x7b-chat pplx-8x7b-online pplx-70b-chat pplx-70b-online sonar-medium-chat
        sonar-medium-online sonar-small-chat sonar-small-online
perplexity:
    2025-02-22 llama-3.1-sonar-large-128k-chat llama-3.1-sonar-small-128k-chat

togetherai:
    2024-08-22 deepseek-ai/deepseek-coder-33b-instruct
    2025-08-28 NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO Qwen/Qwen2-72B-Instruct
        Qwen/Qwen2-VL-72B-Instruct deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B google/gemma-2-27b-it
        meta-llama/Llama-3-8b-chat-hf meta-llama/Meta-Llama-3-8B-Instruct
        nvidia/Llama-3.1-Nemotron-70B-Instruct-HF
    2025-11-13 Qwen/QwQ-32B Qwen/Qwen2.5-Coder-32B-Instruct deepseek-ai/DeepSeek-R1-Distill-Qwen-14B
        mistralai/Mistral-7B-Instruct-v0.1
    2025-12-23 deepseek-ai/DeepSeek-R1-Distill-Llama-70B meta-llama/Meta-Llama-3-70B-Instruct-Turbo

vercel:
    2026-06-01 google/gemini-2.0-flash google/gemini-2.0-flash-lite

xai: https://docs.x.ai/developers/migration/may-15-retirement
    2026-05-15 grok-3 grok-4-0709 grok-4-1-fast-non-reasoning grok-4-1-fast-non-reasoning-latest
        grok-4-1-fast-reasoning grok-4-1-fast-reasoning-latest grok-4-fast-non-reasoning
        grok-4-fast-reasoning
xai:
    2026-02-28 grok-2-vision-1212 grok-3-mini grok-3-mini-beta
"""


@cache
def shut_off() -> Facts:
    """Full id → since when it is shut off, and the page that says so, if there is one."""
    facts: dict[str, dict[str, Any]] = {}
    provider = day = ""
    page: dict[str, str] = {}
    for word in ROWS.split():
        if word.endswith(":"):
            provider, page = word[:-1], {}
        elif word.startswith("https://"):
            page = {"source_url": word}
        elif _DAY.fullmatch(word):
            day = word
        else:
            facts[f"{provider}/{word}"] = {"lifecycle": {"retires_on": day}, **page}
    return facts


def with_shut_off(facts: Facts) -> Facts:
    """`facts` of the map, with the days of `shut_off` for models of which it has none.

    A day without a page was the map's own. So it does not count for a model that the map has again.
    """
    added: dict[str, Any] = {}
    for id, gone in shut_off().items():
        said = facts.get(id, {})
        lifecycle = said.get("lifecycle", {})
        if id not in facts or ("source_url" in gone and "retires_on" not in lifecycle):
            added[id] = {**said, **gone, "lifecycle": {**lifecycle, **gone["lifecycle"]}}
    return {**facts, **added}
