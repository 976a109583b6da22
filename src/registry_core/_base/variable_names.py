"""Names of variables: whether a name means a secret or a place, and how to make one from an id.

Catalogs list the variables of a provider without saying what each holds.
"""

from __future__ import annotations

import re

_SECRETS = frozenset(
    {
        "APIKEY",
        "AUTH",
        "BEARER",
        "COOKIE",
        "CREDENTIAL",
        "CREDENTIALS",
        "JWT",
        "KEY",
        "PASS",
        "PASSPHRASE",
        "PASSWD",
        "PASSWORD",
        "PAT",
        "PWD",
        "SECRET",
        "SESSION",
        "TOKEN",
    }
)
#: These also count as part of a word: GITHUBTOKEN, PGPASSWORD.
_INSIDE = ("APIKEY", "CREDENTIAL", "PASSW", "SECRET", "TOKEN")
#: These count as the last word of a name: ACME_TOKEN_URL is not a token.
_PLACES = frozenset(
    {
        "ACCOUNT",
        "ADDRESS",
        "DATACENTER",
        "DEPLOYMENT",
        "DOMAIN",
        "ENDPOINT",
        "GATEWAY",
        "HOST",
        "HOSTNAME",
        "ID",
        "INSTANCE",
        "LOCATION",
        "NAME",
        "ORG",
        "ORGANIZATION",
        "PORT",
        "PRODUCT",
        "PROJECT",
        "REGION",
        "RESOURCE",
        "SERVER",
        "SITE",
        "SUBDOMAIN",
        "TENANT",
        "URI",
        "URL",
        "WORKSPACE",
        "ZONE",
    }
)


def holds_secret(variable: str) -> bool:
    """Whether any word of the name means a secret. Rather too often than too rarely."""
    return not _SECRETS.isdisjoint(_words(variable))


def is_credential(variable: str) -> bool:
    """Whether it is the name of a secret (`ACME_API_KEY`), not of a place (`ACME_TOKEN_URL`)."""
    return holds_secret(variable) and _words(variable)[-1] not in _PLACES


def is_place(variable: str) -> bool:
    """Whether it is the name of a place (`ACME_ACCOUNT_ID`), without a word for a secret."""
    return (
        _words(variable)[-1] in _PLACES
        and not holds_secret(variable)
        and not any(word in variable.upper() for word in _INSIDE)
    )


def as_variable(name: str) -> str:
    """`name` as a part of a variable's name: "my-ai.v2" gives "MY_AI_V2"."""
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def base_url_variable(provider_id: str) -> str:
    """The name of `<PROVIDER>_BASE_URL`: "my-ai.v2" gives "MY_AI_V2_BASE_URL"."""
    return f"{as_variable(provider_id)}_BASE_URL"


def _words(variable: str) -> list[str]:
    return variable.upper().split("_")
