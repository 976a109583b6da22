"""Company cars: their models have nothing to do with language."""

from dataclasses import dataclass

CARS = [
    {"make": "Opel", "model": "gpt-4", "year": 2019},
    {"make": "Skoda", "model": "command", "vin": "TMB0000000"},
]
LOGO_IMAGE = "openai/gpt-4"
AVATARS = {"path": "anthropic/claude-3-opus-20240229.png"}


@dataclass
class Car:
    model: str = "estate"
    engine: str = "o1"
