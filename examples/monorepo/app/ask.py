"""Completes the ids that the project uses, and takes any other."""

from registry_core_types import KnownModelId, ModelId, model_id

DEFAULT: KnownModelId = "openai/gpt-4o"  # a typo here is an error
FALLBACK = model_id("openai/gpt-4o-mini")  # here too, and at any size without a cost
CHEAP: dict[str, KnownModelId] = {
    "anthropic": "anthropic/claude-haiku-4-5",
    "google": "google/gemini-2.5-flash",
}


def ask(question: str, model: ModelId = DEFAULT) -> str:
    return f"{model} would answer {question!r} here"


if __name__ == "__main__":
    print(ask("What is new?", CHEAP["google"]))
    print(ask("And if it is down?", FALLBACK))
    print(ask("And from settings?", "openai/ft:gpt-4o:mine"))
