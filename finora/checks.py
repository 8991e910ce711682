"""System checks: what stops a start, with an id and what to do about it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connection
from django.utils.module_loading import import_string

from finora.demo_keys import demo_keys_made
from finora.limits.windows import parse_limits
from finora.sealing import keyring
from finora.sealing.models import KeyCanary

MAKE_ENCRYPTION_KEY = "Make one with: python manage.py generate_encryption_key --skip-checks"
MAKE_SECRET = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105
# Random bytes of these lengths have fewer distinct values once in 10^15 times.
_MIN_DISTINCT = 16
_MIN_SECRET_LENGTH = 32


def _weak(secret: bytes) -> bool:
    return len(secret) < _MIN_SECRET_LENGTH or len(set(secret)) < _MIN_DISTINCT


@register
def encryption_keys(**_: Any) -> Iterable[CheckMessage]:
    if not settings.ENCRYPTION_KEYS:
        yield Error("FIELD_ENCRYPTION_KEY is not set.", hint=MAKE_ENCRYPTION_KEY, id="finora.E001")
    for position, text in enumerate(settings.ENCRYPTION_KEYS, start=1):
        try:
            key = keyring.parse_key(text)
        except ValueError as error:
            yield Error(
                f"FIELD_ENCRYPTION_KEY: entry {position} is {error}.",
                hint=MAKE_ENCRYPTION_KEY,
                id="finora.E002",
            )
            continue
        if _weak(key.secret):
            yield Error(
                f"FIELD_ENCRYPTION_KEY: entry {position} is not random.",
                hint=MAKE_ENCRYPTION_KEY,
                id="finora.E003",
            )
    if len(set(settings.ENCRYPTION_KEYS)) < len(settings.ENCRYPTION_KEYS):
        yield Error(
            "FIELD_ENCRYPTION_KEY holds the same key twice.",
            hint="Keep one of each; the first one seals.",
            id="finora.E004",
        )


@register
def blind_index_keys(**_: Any) -> Iterable[CheckMessage]:
    if not settings.BLIND_INDEX_KEYS:
        yield Error("BLIND_INDEX_KEY is not set.", hint=MAKE_SECRET, id="finora.E005")
    for position, text in enumerate(settings.BLIND_INDEX_KEYS, start=1):
        if _weak(text.encode()):
            yield Error(
                f"BLIND_INDEX_KEY: entry {position} is shorter than {_MIN_SECRET_LENGTH}"
                " characters or not random.",
                hint=MAKE_SECRET,
                id="finora.E006",
            )


def _secret_key() -> str:
    try:
        return settings.SECRET_KEY
    except ImproperlyConfigured:  # Django's answer to an empty one
        return ""


@register
def secret_key(**_: Any) -> Iterable[CheckMessage]:
    if _weak(_secret_key().encode()):
        yield Error(
            "SECRET_KEY is not set, or too short, or not random.",
            hint=MAKE_SECRET,
            id="finora.E007",
        )


@register
def metrics_token(**_: Any) -> Iterable[CheckMessage]:
    if settings.METRICS_TOKEN and _weak(settings.METRICS_TOKEN.encode()):
        yield Error(
            "METRICS_TOKEN is too short, or not random.", hint=MAKE_SECRET, id="finora.E021"
        )


@register
def separate_keys(**_: Any) -> Iterable[CheckMessage]:
    purposes = {
        "SECRET_KEY": [_secret_key()],
        "FIELD_ENCRYPTION_KEY": settings.ENCRYPTION_KEYS,
        "BLIND_INDEX_KEY": settings.BLIND_INDEX_KEYS,
        "METRICS_TOKEN": [settings.METRICS_TOKEN],
    }
    seen: dict[bytes, str] = {}
    for purpose, texts in purposes.items():
        for text in filter(None, texts):
            first = seen.setdefault(_raw(text), purpose)
            if first != purpose:
                yield Error(
                    f"{purpose} and {first} share a key.",
                    hint="A key that serves two purposes gives both away at once: make another.",
                    id="finora.E008",
                )


@register(Tags.database)
def keys_of_this_database(
    databases: Sequence[str] | None = None, **_: Any
) -> Iterable[CheckMessage]:
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return
    try:
        if KeyCanary._meta.db_table not in connection.introspection.table_names():
            return  # before the first migration
        trouble = KeyCanary.objects.trouble()
    except ImproperlyConfigured:
        return  # another check's finding
    for sentence in trouble:
        yield Error(
            sentence,
            hint=(
                "Set the keys that this database was written with; while one is being changed,"
                " every process needs both. Where a test environment's demo-keys.json is lost,"
                " so are the sealed values: start with an empty database."
            ),
            id="finora.E020",
        )


@register(Tags.database)
def pooled_sessions(databases: Sequence[str] | None = None, **_: Any) -> Iterable[CheckMessage]:
    if DEFAULT_DB_ALIAS not in (databases or ()) or connection.vendor != "postgresql":
        return
    if settings.DATABASE_BOUNCER:
        if "assume_role" in connection.settings_dict["OPTIONS"]:
            yield Error(
                "DATABASE_URL assumes a role, which would stay in a session that others are lent.",
                hint="Log in as the role itself, or reach the database without a bouncer.",
                id="finora.E022",
            )
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = cursor.fetchone()[0]
    # A session is named at its start. Who pools sessions names its own, as it has none to name yet.
    if session != connection.connection.info.backend_pid:
        yield Warning(
            "DATABASE_URL leads to a connection pooler, such as PgBouncer.",
            hint=(
                "Set DATABASE_BOUNCER=true: what one process prepares in a session another one"
                " would run. It is not needed where whole sessions are lent (pool_mode=session) or"
                " prepared statements are followed (PgBouncer 1.22, max_prepared_statements)."
            ),
            id="finora.W006",
        )


_LIMITS = ("RATE_LIMITS", "STRANGER_LIMITS", "LOGIN_LIMITS")


@register
def rate_limits(**_: Any) -> Iterable[CheckMessage]:
    for name in _LIMITS:
        try:
            limits = parse_limits(getattr(settings, name))
        except ValueError as error:
            yield Error(f"{name}: {error}", hint="See .env.example.", id="finora.E010")
        else:
            if limits is not None and settings.WORKERS > 1 and not settings.REDIS_URL:
                yield Error(
                    f"{settings.WORKERS} workers would each grant the whole of {name}.",
                    hint="Set REDIS_URL to share the counts (a laptop's: make store), or WORKERS=1,"
                    " or switch them off.",
                    id="finora.E011",
                )


def _is_counted(limits: str) -> bool:
    try:
        return parse_limits(limits) is not None
    except ValueError:  # E010
        return True


# The checks of Django and axes for these know them by name alone (security.W002, security.W003,
# axes.W002) and are silenced, as ours are subclasses that step aside for what is not a page.
_PROTECTIONS = (
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "axes.middleware.AxesMiddleware",
)


@register
def protected_pages(**_: Any) -> Iterable[CheckMessage]:
    named = map(import_string, settings.MIDDLEWARE)
    present = [each for each in named if isinstance(each, type)]  # it may be a function, too
    for name in _PROTECTIONS:
        if not any(issubclass(each, import_string(name)) for each in present):
            yield Error(
                f"Pages are served without {name}.",
                hint="Put it, or a subclass of it, into MIDDLEWARE.",
                id="finora.E015",
            )


@register
def no_debugging_in_live(**_: Any) -> Iterable[CheckMessage]:
    if settings.DEBUG and settings.FINORA_ENVIRONMENT == "live":
        yield Error(
            "DEBUG shows what requests and settings hold to whoever causes an error.",
            hint="Leave DEBUG unset in a live environment.",
            id="finora.E012",
        )


_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


@register(deploy=True)
def safe_deployment(**_: Any) -> Iterable[CheckMessage]:
    if settings.FINORA_ENVIRONMENT != "live":
        yield Warning(
            "This is a test environment: it makes and accepts test keys.",
            hint="Set FINORA_ENVIRONMENT=live.",
            id="finora.W001",
        )
    if not settings.REDIS_URL and any(_is_counted(getattr(settings, name)) for name in _LIMITS):
        yield Warning(
            "Rate limits are counted by this process alone and forgotten when it ends.",
            hint="Set REDIS_URL.",
            id="finora.W002",
        )
    if settings.WORKERS > 1 and connection.vendor == "sqlite":
        yield Warning(
            f"{settings.WORKERS} processes write to one SQLite file, one at a time.",
            hint="Set DATABASE_URL to a PostgreSQL database, or WORKERS=1.",
            id="finora.W003",
        )
    if settings.HTTPS_ONLY and not settings.BEHIND_PROXY:
        yield Warning(
            "`manage.py serve` speaks no TLS, and sends every call over HTTP to HTTPS for ever.",
            hint="Set BEHIND_PROXY=true behind a proxy that ends TLS, or HTTPS_ONLY=false.",
            id="finora.W004",
        )
    if settings.FINORA_ENVIRONMENT == "live" and set(settings.ALLOWED_HOSTS) <= _LOCAL_HOSTS:
        yield Warning(
            "The admin and the documents answer to names of this machine alone.",
            hint="Set ALLOWED_HOSTS to the names that people call it by.",
            id="finora.W005",
        )


def _raw(text: str) -> bytes:
    """The bytes of a key, so that two spellings of one are seen to be the same."""
    try:
        return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except ValueError:
        return text.encode()


@register
def demo_keys_in_live(**_: Any) -> Iterable[CheckMessage]:
    made_up = demo_keys_made(settings.FINORA_DATA_DIR)
    in_use = {_secret_key(), *settings.ENCRYPTION_KEYS, *settings.BLIND_INDEX_KEYS}
    if settings.FINORA_ENVIRONMENT == "live" and made_up & in_use:
        yield Error(
            "A live environment uses keys that were made up for a test environment.",
            hint="Make keys of its own and keep them in a secret store.",
            id="finora.E009",
        )
