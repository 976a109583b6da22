from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path

from registry_core import ModelRegistry, get_model
from registry_core_types import ModelId

DEFAULT: ModelId = "openai/gpt-4o"  # an editor completes it


def models(request: HttpRequest, provider: str) -> JsonResponse:
    found = ModelRegistry.get_instance().get_models().get(provider, ())
    return JsonResponse(list(found), safe=False)


def price(request: HttpRequest) -> JsonResponse:
    """USD per million tokens; None is "unknown", never "free"."""
    found = get_model(DEFAULT)
    return JsonResponse({"input": found.cost.input if found and found.cost else None})


urlpatterns = [path("models/<provider>", models), path("price", price)]
