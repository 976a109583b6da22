"""Ask any model the same question: `resolve` says where it lives and how to talk to it.

    pip install openai anthropic
    python call_a_model.py

The servers that answer are started below, so that this runs without a key and without a
network. With real keys in the environment, `ask("openai/gpt-5.6", "…")` is all it takes.
"""

from __future__ import annotations

from collections.abc import Mapping

from anthropic import Anthropic
from openai import OpenAI
from stub_servers import ANTHROPIC_STYLE, OPENAI_STYLE, serve

from registry_core import resolve


def ask(model_id: str, question: str, environ: Mapping[str, str] | None = None) -> str:
    """The model's answer. `environ` holds the keys; None is this process's environment."""
    endpoint = resolve(model_id, environ)
    print(endpoint)
    if endpoint.dialect == "anthropic":
        answer = Anthropic(**endpoint.anthropic_kwargs()).messages.create(
            model=endpoint.model,
            max_tokens=256,
            messages=[{"role": "user", "content": question}],
        )
        return "".join(block.text for block in answer.content if block.type == "text")
    client = OpenAI(**endpoint.openai_kwargs())  # raises DialectError for any other dialect
    if endpoint.dialect == "openai-responses":
        return client.responses.create(model=endpoint.model, input=question).output_text
    chat = client.chat.completions.create(
        model=endpoint.model, messages=[{"role": "user", "content": question}]
    )
    return chat.choices[0].message.content or ""


def main() -> None:
    with serve(OPENAI_STYLE, "sk-one") as one, serve(ANTHROPIC_STYLE, "sk-two") as two:
        environ = {
            "OPENAI_API_KEY": "sk-one",
            "OPENAI_BASE_URL": one,
            "GROQ_API_KEY": "sk-one",
            "GROQ_BASE_URL": one,
            "ANTHROPIC_API_KEY": "sk-two",
            "ANTHROPIC_BASE_URL": two,
        }
        for model_id in (
            "openai/gpt-5.6",
            "groq/openai/gpt-oss-120b",
            "anthropic/claude-sonnet-5",
        ):
            print(ask(model_id, "Say hello.", environ))


if __name__ == "__main__":
    main()
