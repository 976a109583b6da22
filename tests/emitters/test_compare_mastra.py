"""Payloads in, Mastra's files out: its rules from end to end, as the tool compares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.compare_mastra import main

GENERIC = "@ai-sdk/openai-compatible"
URL = "https://api.example/v1"


def entry(npm: str = GENERIC, *env: str, **facts: Any) -> dict[str, Any]:
    """A provider as models.dev has it."""
    models = {"m": {"id": "m", "name": "M"}}
    return {"name": "Name", "doc": "https://docs.example", "models": models, "npm": npm} | {
        "env": list(env),
        **facts,
    }


PAYLOAD = {
    "vercel": entry("@ai-sdk/gateway", "AI_GATEWAY_API_KEY"),
    "openai": entry("@ai-sdk/openai", "OPENAI_API_KEY"),
    "deepseek": entry(GENERIC, "DEEPSEEK_API_KEY", api=URL),
    "google": entry("@ai-sdk/google", "GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": entry("@ai-sdk/groq", "GROQ_API_KEY"),
    "mistral": entry("@ai-sdk/mistral", "MISTRAL_API_KEY"),
    "moonshotai": entry(GENERIC, "MOONSHOT_API_KEY", api=URL),
    "moonshotai-cn": entry(GENERIC, "MOONSHOT_API_KEY", api=URL),
    "dialect": entry("@ai-sdk/anthropic", "ACCOUNT", "A_PAT", "A_KEY", api=URL),
    "template": entry(GENERIC, "A_KEY", "A_TOKEN", api="https://${ACCOUNT}.example/v1"),
    "cloud": entry(GENERIC, "A_TOKEN", "A_API_KEY", api=URL),
    "302ai": entry(GENERIC, "A_API_KEY", "A_API_TOKEN", api=URL),
    "plain": entry(GENERIC, "ACCOUNT", "REGION", api=URL),
    "keyless": entry(GENERIC, api=URL),
    "azure": entry("@ai-sdk/azure", "AZURE_RESOURCE_NAME", "AZURE_API_KEY"),
    "compatible": entry(GENERIC, "COMPATIBLE_API_KEY"),
    "github-copilot": entry(GENERIC, "GITHUB_TOKEN", api="https://copilot.example"),
    "zoo": entry(
        GENERIC,
        "ZOO_API_KEY",
        api=URL,
        models={
            "z": {"attachment": True, "temperature": True, "structured_output": False},
            "old": {"status": "deprecated", "attachment": True},
            "a/B": {"status": "beta", "provider": {"npm": "@ai-sdk/openai", "shape": "responses"}},
            "a/b": {"provider": {"npm": "@ai-sdk/anthropic", "api": URL, "extra": 1}},
        },
    ),
    "multi": entry(GENERIC, "M_REGION", "M_TOKEN", "M_API_KEY", "M_SECRET", api=URL),
}
NETLIFY = {
    "providers": {
        "openai": {"token_env_var": "A", "url_env_var": "B", "models": ["gpt-4o", "a"]},
        "anthropic": {"token_env_var": "C", "url_env_var": "D", "models": ["claude"]},
    }
}


def golden(variable: str | list[str], **facts: Any) -> dict[str, Any]:
    """A provider as Mastra has it, of those that need a URL."""
    return {
        "apiKeyEnvVar": variable,
        "apiKeyHeader": "Authorization",
        "name": "Name",
        "models": ["m"],
        "docUrl": "https://docs.example",
        "gateway": "models.dev",
        "url": URL,
        **facts,
    }


def with_sdk(variable: str | list[str], npm: str | None = None, **facts: Any) -> dict[str, Any]:
    """A provider as Mastra has it, of those that have an SDK package."""
    record = golden(variable, npm=npm)
    left_out = ("apiKeyHeader", "url") if npm else ("apiKeyHeader", "url", "npm")
    return {key: record[key] for key in record if key not in left_out} | facts


PROVIDERS = {
    "vercel": with_sdk("AI_GATEWAY_API_KEY"),
    "openai": with_sdk("OPENAI_API_KEY", "@ai-sdk/openai"),
    "deepseek": with_sdk("DEEPSEEK_API_KEY", url=URL),
    "google": with_sdk(["GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"], "@ai-sdk/google"),
    "groq": with_sdk("GROQ_API_KEY", "@ai-sdk/groq", url="https://api.groq.com/openai/v1"),
    "mistral": with_sdk("MISTRAL_API_KEY", "@ai-sdk/mistral", url="https://api.mistral.ai/v1"),
    "moonshotai": golden(
        "MOONSHOT_API_KEY", npm="@ai-sdk/anthropic", url="https://api.moonshot.ai/anthropic/v1"
    ),
    "moonshotai-cn": golden(
        "MOONSHOT_API_KEY", npm="@ai-sdk/anthropic", url="https://api.moonshot.cn/anthropic/v1"
    ),
    "dialect": golden("A_KEY", npm="@ai-sdk/anthropic"),
    "template": golden("A_TOKEN", url="https://${ACCOUNT}.example/v1"),
    "cloud": golden("A_API_KEY"),
    "302ai": golden("A_API_TOKEN"),
    "plain": golden("ACCOUNT"),
    "keyless": golden("KEYLESS_API_KEY"),
    "zoo": golden(
        "ZOO_API_KEY",
        models=["a/B", "a/b", "old", "z"],
        deprecatedModels=["old"],
        modelOverrides={
            "a/B": {"npm": "@ai-sdk/openai", "shape": "responses"},
            "a/b": {"npm": "@ai-sdk/anthropic", "api": URL},
        },
    ),
    "multi": golden("M_API_KEY"),
    "netlify": {
        "apiKeyEnvVar": ["NETLIFY_TOKEN", "NETLIFY_SITE_ID"],
        "apiKeyHeader": "Authorization",
        "name": "Netlify",
        "models": ["anthropic/claude", "openai/a", "openai/gpt-4o"],
        "docUrl": "https://docs.netlify.com/build/ai-gateway/overview/",
        "gateway": "netlify",
    },
}
CAPABILITIES = {"attachment": ["old", "z"], "temperature": ["z"]}


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """The tool's arguments: two payloads, and a folder with what Mastra makes of them."""
    folder = tmp_path / "golden"
    registry = {
        "providers": PROVIDERS,
        "models": {id: one["models"] for id, one in PROVIDERS.items()},
        "version": "1.0.0",
    }
    files = {
        tmp_path / "api.json": PAYLOAD,
        tmp_path / "netlify.json": NETLIFY,
        folder / "provider-registry.json": registry,
        folder / "capabilities" / "zoo.json": CAPABILITIES,
    }
    (folder / "capabilities").mkdir(parents=True)
    for path, content in files.items():
        path.write_text(json.dumps(content), encoding="utf-8")
    return [str(tmp_path / "api.json"), str(tmp_path / "netlify.json"), str(folder)]


def test_our_files_are_mastras(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "equal: 17 providers, 1 capability files\n"


def test_a_difference_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(arguments[2]) / "provider-registry.json"
    file.write_text(file.read_text(encoding="utf-8").replace("A_TOKEN", "B_TOKEN"))
    (file.parent / "capabilities" / "zoo.json").unlink()
    assert main(arguments) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"capabilities/zoo.json: only in ours: {json.dumps(CAPABILITIES)}",
        "provider-registry.json › providers › template › apiKeyEnvVar:"
        ' ours "A_TOKEN", Mastra\'s "B_TOKEN"',
        "2 differences (2 shown)",
    ]
