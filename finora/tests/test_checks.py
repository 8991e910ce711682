"""What stops a start, and what a deployment is warned of; each with a hint."""

import ast
import json
import os
import secrets
import subprocess
import sys
from collections import defaultdict

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.utils.module_loading import import_string

from finora import checks

pytestmark = pytest.mark.once

STRONG = "yBq3v0Zt8mKx5RjW1nUa7HdE4sPf6LcG"


def found(**kwargs):
    messages = [message for message in run_checks(**kwargs) if not message.is_silenced()]
    for message in messages:
        if message.id.startswith("finora."):
            assert message.hint
    return {message.id for message in messages}


def test_the_configuration_of_the_tests_is_sound():
    assert found() == set()


@pytest.mark.parametrize(
    ("id", "changes"),
    [
        ("finora.E001", {"ENCRYPTION_KEYS": []}),
        ("finora.E002", {"ENCRYPTION_KEYS": ["short"]}),
        ("finora.E002", {"ENCRYPTION_KEYS": ["ä" * 44]}),
        ("finora.E003", {"ENCRYPTION_KEYS": ["A" * 43 + "="]}),
        ("finora.E004", {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()] * 2}),
        ("finora.E005", {"BLIND_INDEX_KEYS": []}),
        ("finora.E006", {"BLIND_INDEX_KEYS": ["secret"]}),
        ("finora.E006", {"BLIND_INDEX_KEYS": ["a" * 64]}),
        ("finora.E007", {"SECRET_KEY": "changeme"}),
        ("finora.E008", {"SECRET_KEY": STRONG, "BLIND_INDEX_KEYS": [STRONG]}),
        ("finora.E010", {"RATE_LIMITS": "lots"}),
        ("finora.E010", {"STRANGER_LIMITS": "60"}),
        ("finora.E010", {"LOGIN_LIMITS": "20 a minute"}),
        ("finora.E011", {"RATE_LIMITS": "60/minute", "WORKERS": 2}),
        ("finora.E021", {"METRICS_TOKEN": "prometheus"}),
        ("finora.E021", {"METRICS_TOKEN": "a" * 64}),
        ("finora.E008", {"SECRET_KEY": STRONG, "METRICS_TOKEN": STRONG}),
        ("finora.E012", {"DEBUG": True, "FINORA_ENVIRONMENT": "live"}),
    ],
)
def test_it_stops_the_start(settings, id, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert id in found()


def test_one_key_for_two_purposes_is_seen_in_two_spellings(settings):
    key = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [key]
    settings.BLIND_INDEX_KEYS = [key.rstrip("=")]
    assert "finora.E008" in found()


def test_a_message_never_holds_a_key(settings):
    settings.ENCRYPTION_KEYS = ["not-a-key-but-secret"]
    settings.BLIND_INDEX_KEYS = ["weak-secret"]
    settings.SECRET_KEY = settings.METRICS_TOKEN = "weak-secret"
    said = "".join(f"{message.msg}{message.hint}" for message in run_checks())
    assert "secret" not in said.replace("secrets", "")


def test_keys_made_up_for_tests_do_not_go_live(settings, tmp_path):
    (tmp_path / "demo-keys.json").write_text(json.dumps({"SECRET_KEY": STRONG}))
    settings.FINORA_DATA_DIR = tmp_path
    settings.SECRET_KEY = STRONG
    assert "finora.E009" not in found()
    settings.FINORA_ENVIRONMENT = "live"
    assert "finora.E009" in found()


def test_several_workers_with_a_shared_store_may_start(settings):
    settings.RATE_LIMITS, settings.WORKERS = "60/minute", 4
    settings.REDIS_URL = "redis://127.0.0.1:6379/0"
    assert "finora.E011" not in found()


@pytest.mark.parametrize(
    ("id", "changes"),
    [
        ("finora.W001", {}),
        ("finora.W002", {"RATE_LIMITS": "60/minute"}),
        ("finora.W002", {"STRANGER_LIMITS": "60/minute"}),
        ("finora.W002", {"LOGIN_LIMITS": "20/minute"}),
        ("finora.W004", {"HTTPS_ONLY": True}),
        ("finora.W005", {"FINORA_ENVIRONMENT": "live", "ALLOWED_HOSTS": ["localhost"]}),
    ],
)
def test_deploying_is_warned(settings, id, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert id in found(include_deployment_checks=True)
    assert id not in found()


def test_sqlite_with_several_processes_is_warned(settings, monkeypatch):
    monkeypatch.setattr("finora.checks.connection.vendor", "sqlite", raising=False)
    settings.WORKERS = 2
    assert "finora.W003" in found(include_deployment_checks=True)


def test_limits_that_are_off_need_no_shared_store(settings):
    settings.RATE_LIMITS = settings.STRANGER_LIMITS = settings.LOGIN_LIMITS = " Off "
    assert "finora.W002" not in found(include_deployment_checks=True)


@pytest.mark.parametrize("protection", checks._PROTECTIONS)
def test_pages_without_a_protection_stop_the_start(settings, protection):
    """The checks of Django and axes that would say so know no subclass, and are silenced."""
    kept = [
        name
        for name in settings.MIDDLEWARE
        if not issubclass(import_string(name), import_string(protection))
    ]
    assert len(kept) == len(settings.MIDDLEWARE) - 1
    settings.MIDDLEWARE = kept
    assert "finora.E015" in found()
    settings.MIDDLEWARE = [*kept, protection]
    assert "finora.E015" not in found()


def test_a_sound_deployment_is_warned_of_nothing(tmp_path):
    keys = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "BLIND_INDEX_KEY": secrets.token_urlsafe(32),
    }
    run = start(
        tmp_path,
        *("--deploy", "--fail-level", "WARNING"),
        FINORA_ENVIRONMENT="live",
        REDIS_URL="redis://127.0.0.1:6379/0",
        ALLOWED_HOSTS="api.example.com",
        BEHIND_PROXY="true",
        **keys,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("scope", "header"),
    [
        (None, "max-age=31536000"),
        ("subdomains", "max-age=31536000; includeSubDomains"),
        ("preload", "max-age=31536000; includeSubDomains; preload"),
    ],
)
def test_what_browsers_are_told_of_other_hosts_is_chosen(tmp_path, scope, header):
    """Who turns it on binds the whole domain for a year, whatever else is served there."""
    code = (
        "import django; django.setup();"
        "from django.test import Client;"
        "print(Client().get('/healthz', secure=True)['Strict-Transport-Security'])"
    )
    environment = {"HTTPS_ONLY": "true"} | ({"HSTS": scope} if scope else {})
    run = python(tmp_path, "-c", code, DJANGO_SETTINGS_MODULE="finora.settings", **environment)
    assert run.stdout.strip() == header, run.stderr


def test_a_settings_file_that_is_not_there_stops_the_start(tmp_path):
    """Else a mistyped name starts a test environment, with keys that were made up."""
    run = start(tmp_path, ENV_FILE=str(tmp_path / "none"))
    assert run.returncode != 0
    assert "ENV_FILE" in run.stderr
    assert not list(tmp_path.iterdir())


def start(tmp_path, *options, **environment):
    """`manage.py check` in a process of its own, with this environment and no other."""
    return python(tmp_path, "manage.py", "check", *options, **environment)


def python(tmp_path, *arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "FINORA_DATA_DIR": str(tmp_path)}
        | environment,
        capture_output=True,
        text=True,
    )


def test_a_live_environment_without_keys_does_not_start(tmp_path):
    run = start(tmp_path, FINORA_ENVIRONMENT="live")
    assert run.returncode == 1
    for id in ("finora.E001", "finora.E005", "finora.E007"):
        assert id in run.stderr
    assert not list(tmp_path.iterdir())


def test_a_test_environment_given_some_keys_makes_none_up(tmp_path):
    run = start(tmp_path, BLIND_INDEX_KEY=STRONG)
    assert run.returncode == 1
    assert "finora.E001" in run.stderr


def test_secrets_are_read_from_files(tmp_path):
    files = {
        "SECRET_KEY": STRONG[::-1],
        "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "BLIND_INDEX_KEY": STRONG,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    run = start(
        tmp_path,
        FINORA_ENVIRONMENT="live",
        **{f"{name}_FILE": str(tmp_path / name) for name in files},
    )
    assert run.returncode == 0, run.stderr


def test_a_live_environment_that_debugs_does_not_start(tmp_path):
    keys = {
        "SECRET_KEY": STRONG[::-1],
        "FIELD_ENCRYPTION_KEY": Fernet.generate_key().decode(),
        "BLIND_INDEX_KEY": STRONG,
    }
    run = start(tmp_path, FINORA_ENVIRONMENT="live", DEBUG="true", **keys)
    assert run.returncode == 1
    assert "finora.E012" in run.stderr
    assert start(tmp_path, FINORA_ENVIRONMENT="test", DEBUG="true", **keys).returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FINORA_ENVIRONMENT", "staging"),
        ("DEBUG", "maybe"),
        ("PORT", "http"),
        ("WORKERS", "0"),
        ("HSTS", "all"),
    ],
)
def test_a_value_that_makes_no_sense_stops_the_start_by_name(tmp_path, name, value):
    run = start(tmp_path, **{name: value})
    assert run.returncode != 0
    assert name in run.stderr


def test_made_up_keys_are_kept_and_private(tmp_path):
    assert start(tmp_path).returncode == 0
    path = tmp_path / "demo-keys.json"
    before = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert start(tmp_path).returncode == 0
    assert path.read_text() == before


def test_an_id_is_of_one_check_alone(settings):
    """Else a hint, or a line that silences one, is about another."""
    checks_of = defaultdict(set)
    for path in (settings.BASE_DIR / "finora").rglob("*.py"):
        if "tests" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.Constant) and str(node.value).startswith("finora.E0"):
                    checks_of[node.value].add(function.name)
    assert len(checks_of) > 15
    assert {id: names for id, names in checks_of.items() if len(names) > 1} == {}
