"""Answers of the server in the office, which has models of its own."""

import openai


def local_answer(text: str) -> str:
    client = openai.OpenAI(base_url="http://localhost:11434/v1", api_key="none")
    done = client.chat.completions.create(
        model="gpt-4-house",
        messages=[{"role": "user", "content": text}],
    )
    return done.choices[0].message.content or ""
