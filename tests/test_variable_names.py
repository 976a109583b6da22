from __future__ import annotations

import pytest

from registry_core._base.variable_names import holds_secret, is_place
from registry_core.records import is_credential

CREDENTIALS = [
    "OPENAI_API_KEY",
    "MULTI_TOKEN",
    "SNOWFLAKE_CORTEX_PAT",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_SECRET_ACCESS_KEY",
    "WATSONX_AI_APIKEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "DB_PASS",
    "MYSQL_PWD",
    "acme_api_key",
]
PLACES = [
    "AZURE_RESOURCE_NAME",
    "CLOUDFLARE_ACCOUNT_ID",
    "DATABRICKS_HOST",
    "GOOGLE_VERTEX_LOCATION",
    "GOOGLE_VERTEX_PROJECT",
    "NEON_AI_GATEWAY_BASE_URL",
    "PRIVATEMODE_ENDPOINT",
    "AWS_REGION",
    "SNOWFLAKE_ACCOUNT",
    "compass_host",
]
#: A secret by one reading, a place by another; or a name that says nothing.
NEITHER = [
    "ACME_TOKEN_URL",
    "AWS_ACCESS_KEY_ID",
    "ACME_SESSION_ID",
    "GITHUBTOKEN",
    "GITHUBTOKEN_ID",
    "PGPASSWORD",
    "PGPASSWORD_HOST",
    "HOME",
    "ACME",
    "",
]


@pytest.mark.parametrize("name", CREDENTIALS + PLACES + NEITHER)
def test_a_name_tells_a_secret_from_a_place_or_nothing(name: str) -> None:
    assert is_credential(name) == (name in CREDENTIALS)
    assert is_place(name) == (name in PLACES)
    assert holds_secret(name) or not is_credential(name)
