"""The models that answer, summarize and check tickets."""

from __future__ import annotations

import os

import openai
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

# gpt-4 was too slow for the inbox, see CHANGELOG.md
DEFAULT_MODEL = os.environ.get("DESK_MODEL", "gpt-4o")
FALLBACK_MODELS = ["gpt-5.6-sol", "gpt-4o-mini", "anthropic/claude-3-opus-20240229"]
MAX_OUTPUT = {"gpt-4": 8192, "gpt-4o": 16384}


class OutOfBudget(RuntimeError):
    """Raised if a ticket needs more than gpt-3.5-turbo would cost."""


def answerer(temperature: float = 0.2) -> ChatOpenAI:
    return ChatOpenAI(model="gpt-3.5-turbo", temperature=temperature)


def checker() -> ChatAnthropic:
    return ChatAnthropic(model_name="claude-sonnet-4-5", max_tokens=512)


def embedder() -> OpenAIEmbeddings:
    return OpenAIEmbeddings(model="text-embedding-3-small")


def summarize(text: str, model: str = "openai:gpt-4") -> str:
    if model.startswith("gpt-4"):
        print("gpt-4 is slow")
    client = openai.OpenAI()
    done = client.chat.completions.create(
        model="gpt-4o-mni",
        messages=[{"role": "user", "content": f"Write like gpt-4 would: {text}"}],
    )
    return done.choices[0].message.content or ""


def supports_vision(model: str) -> bool:
    return "gpt-4o" in model or model in ("gpt-5.6-sol",)


def legacy(text: str) -> str:
    return openai.chat.completions.create(model="gpt-4", messages=[text])  # registry-core: ignore
