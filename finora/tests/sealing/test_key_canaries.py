"""Canaries: a process whose keys are not the database's does not start, and says which it lacks."""

import io
import os
import secrets
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial

import pytest
from cryptography.fernet import Fernet
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from customers.models import Customer
from finora.sealing import SealError, blind_index, keyring
from finora.sealing.models import KeyCanary, KeyCanaryQuerySet, WrongKeys
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused
from finora.tests.kit.races import together

ENCRYPTION, BLIND = KeyCanary.Setting.ENCRYPTION, KeyCanary.Setting.BLIND_INDEX
SETTINGS = [("ENCRYPTION_KEYS", ENCRYPTION), ("BLIND_INDEX_KEYS", BLIND)]
both = pytest.mark.parametrize(("name", "setting"), SETTINGS)


def new_key(setting):
    return Fernet.generate_key().decode() if setting == ENCRYPTION else secrets.token_urlsafe(32)


def key_ids(setting):
    """Of the configured keys."""
    ids = keyring.keys() if setting == ENCRYPTION else blind_index.key_ids()
    return [key_id.hex() for key_id in ids]


def planted(setting):
    rows = KeyCanary.objects.filter(setting=setting).order_by("number")
    return list(rows.values_list("key_id", flat=True))


def found():
    """The findings of the check that asks the database."""
    return list(run_checks(tags=[Tags.database], databases=["default"]))


# --- Who plants them ----------------------------------------------------------------------------


@both
def test_a_migrated_database_has_one_of_each_key(db, name, setting):
    assert planted(setting) == key_ids(setting)
    assert found() == []


@both
def test_a_canary_holds_no_key(db, settings, name, setting):
    proof = bytes(KeyCanary.objects.get(setting=setting).proof)
    assert getattr(settings, name)[0].encode() not in proof
    assert len(proof) == (33 if setting == ENCRYPTION else 32)


@both
def test_a_key_added_behind_has_none_until_it_is_the_first(db, settings, name, setting):
    """OLD,NEW: the processes that have OLD alone go on; NEW,OLD: they are told."""
    [old] = getattr(settings, name)
    new = new_key(setting)
    setattr(settings, name, [old, new])
    KeyCanary.objects.plant()
    setattr(settings, name, [old])
    assert found() == []
    setattr(settings, name, [new, old])
    assert found() == []
    KeyCanary.objects.plant()
    assert planted(setting) == key_ids(setting)[::-1]
    assert found() == []
    setattr(settings, name, [old])
    assert [message.id for message in found()] == ["finora.E020"]


@both
def test_planting_again_changes_nothing(db, name, setting):
    before = list(KeyCanary.objects.order_by("pk").values())
    KeyCanary.objects.plant()
    assert list(KeyCanary.objects.order_by("pk").values()) == before


@both
def test_wrong_keys_plant_nothing(db, settings, name, setting):
    before = planted(setting)
    setattr(settings, name, [new_key(setting)])
    with pytest.raises(WrongKeys, match=before[0]):
        KeyCanary.objects.plant()
    assert planted(setting) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False])
@both
def test_of_starts_at_the_same_moment_only_those_with_one_key_succeed(
    settings, monkeypatch, name, setting, same
):
    """On a database without a canary; each thread stands for a process with keys of its own."""
    made = []
    for text in [new_key(setting)] * 4 if same else [new_key(setting) for _ in range(4)]:
        setattr(settings, name, [text])
        made.append({each: KeyCanary.of_configured(each) for each in KeyCanary.Setting})
    KeyCanary.objects.all().delete()
    own, looked = threading.local(), threading.Barrier(4)
    insert = KeyCanaryQuerySet.bulk_create

    def when_all_have_looked(self, *args, **kwargs):
        if not own.inserting:
            own.inserting = True
            looked.wait(20)
        return insert(self, *args, **kwargs)

    def start(canaries):
        own.canaries, own.inserting = canaries, False
        try:
            KeyCanary.objects.plant()
        except WrongKeys:
            return False
        return True

    def is_met(canary):
        return canary.key_id in [mine.key_id for mine in own.canaries[canary.setting]]

    monkeypatch.setattr(KeyCanaryQuerySet, "bulk_create", when_all_have_looked)
    monkeypatch.setattr(KeyCanary, "of_configured", lambda setting: own.canaries[setting])
    monkeypatch.setattr(KeyCanary, "is_met", is_met)
    started = together(*[partial(start, canaries) for canaries in made])
    assert sum(started) == (4 if same else 1)
    assert KeyCanary.objects.count() == 2


def test_the_database_itself_refuses_a_second_first_key(db):
    canary = KeyCanary.objects.get(setting=ENCRYPTION)
    with pytest.raises(IntegrityError), transaction.atomic():
        KeyCanary.objects.create(
            setting=ENCRYPTION, key_id="00000000", number=canary.number, proof=b""
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        KeyCanary.objects.create(setting=ENCRYPTION, key_id=canary.key_id, number=9, proof=b"")


# --- A database from before there were canaries -------------------------------------------------


@both
def test_a_database_with_rows_and_no_canary_takes_the_keys_that_open_them(
    business, settings, name, setting
):
    factories.customer(business)
    KeyCanary.objects.all().delete()
    right = getattr(settings, name)
    setattr(settings, name, [new_key(setting)])
    [message] = found()
    assert (message.id, setting in message.msg) == ("finora.E020", True)
    with pytest.raises(WrongKeys, match=setting):
        KeyCanary.objects.plant()
    assert not KeyCanary.objects.exists()
    # In the middle of a change: both keys may be in use.
    setattr(settings, name, [new_key(setting), *right])
    KeyCanary.objects.plant()
    assert planted(setting) == key_ids(setting)


def test_one_damaged_row_does_not_hide_the_right_keys(business):
    factories.customer(business)
    factories.store(factories.customer(business), "email", "s1.forged")
    KeyCanary.objects.all().delete()
    assert found() == []


# --- What is refused ----------------------------------------------------------------------------


@both
def test_the_check_names_setting_and_key_and_what_to_do(db, settings, name, setting):
    [old] = key_ids(setting)
    secret = new_key(setting)
    setattr(settings, name, [secret])
    [message] = found()
    assert message.id == "finora.E020"
    assert setting in message.msg
    assert old in message.msg
    assert "every process needs both" in message.hint
    assert secret not in message.msg + message.hint


@both
def test_a_key_that_has_the_same_id_must_fit_as_well(db, name, setting):
    proof = bytes(KeyCanary.objects.get(setting=setting).proof)
    other = proof[:-1] + bytes([proof[-1] ^ 1])
    KeyCanary.objects.filter(setting=setting).update(proof=other)
    assert [message.id for message in found()] == ["finora.E020"]


def test_without_a_database_to_ask_the_check_says_nothing_or_that(db):
    assert run_checks(tags=[Tags.database]) == []


@pytest.mark.parametrize("keys", [[], ["short"]])
def test_missing_and_malformed_keys_are_another_checks_finding(db, settings, keys):
    settings.ENCRYPTION_KEYS = keys
    assert found() == []


@both
def test_readyz_refuses_and_names_the_key(client, db, settings, log, name, setting):
    [old] = key_ids(setting)
    accepted(client.get("/readyz"))
    setattr(settings, name, [new_key(setting)])
    error = refused(client.get("/readyz"), 503, "SERVICE_UNAVAILABLE")
    assert old in error["message"]
    assert setting in error["message"]
    assert old in log.getvalue()


@both
def test_readyz_refuses_where_the_writing_key_was_retired(client, db, settings, name, setting):
    """A process that still has OLD,NEW when OLD was already retired."""
    [old] = getattr(settings, name)
    setattr(settings, name, [new_key(setting), old])
    KeyCanary.objects.plant()
    new, retired = key_ids(setting)
    KeyCanary.objects.retire(setting, [retired])
    setattr(settings, name, getattr(settings, name)[::-1])
    error = refused(client.get("/readyz"), 503, "SERVICE_UNAVAILABLE")
    assert retired in error["message"]
    assert new not in error["message"]


def test_no_command_of_ours_starts_with_wrong_keys(business, settings):
    factories.customer(business)
    settings.ENCRYPTION_KEYS = [new_key(ENCRYPTION)]
    commands = {
        "seed_customers": [business.public_id, "--count=1"],
        "repack_search": [],
        "rotate_encryption": [],
        "rotate_blind_index": [],
        "demo": [],
        "serve": [],
    }
    for command, arguments in commands.items():
        with pytest.raises((CommandError, SystemExit)) as raised:
            call_command(command, *arguments, skip_checks=False, stderr=io.StringIO())
        assert "E020" in str(raised.value)
    assert Customer.objects.count() == 1


# --- A start, as an operator sees it -------------------------------------------------------------


@contextmanager
def deployment(tmp_path):
    """`run(*arguments, KEY=…)` is manage.py in a process of its own, on a database of its own."""
    database = tmp_path / "own.sqlite3"
    fixed = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "FINORA_DATA_DIR": str(tmp_path),
        "FINORA_ENVIRONMENT": "test",
        "DATABASE_URL": f"sqlite:///{database}",
        "SECRET_KEY": secrets.token_urlsafe(48),
    }

    def run(*arguments, **keys):
        return subprocess.run(
            [sys.executable, *arguments], env=fixed | keys, capture_output=True, text=True
        )

    yield run


WSGI = ("-c", "import finora.wsgi")


@pytest.mark.slow
@pytest.mark.once
def test_a_server_starts_with_the_keys_of_its_database_only(tmp_path):
    right = {"FIELD_ENCRYPTION_KEY": new_key(ENCRYPTION), "BLIND_INDEX_KEY": new_key(BLIND)}
    with deployment(tmp_path) as run:
        run("manage.py", "migrate", "-v0", **right).check_returncode()
        run("manage.py", "demo", **right).check_returncode()
        run(*WSGI, **right).check_returncode()
        for name, setting in (("FIELD_ENCRYPTION_KEY", ENCRYPTION), ("BLIND_INDEX_KEY", BLIND)):
            wrong = right | {name: new_key(setting)}
            for command in (
                WSGI,
                ("manage.py", "serve"),
                ("manage.py", "migrate"),
                ("manage.py", "check", "--database", "default"),
            ):
                started = run(*command, **wrong)
                assert started.returncode != 0
                assert "finora.E020" in started.stderr
                assert wrong[name] not in started.stderr
            # The two steps of a change, and a worker's start in each.
            old, new = right[name], wrong[name]
            for keys in (f"{old},{new}", old, f"{new},{old}"):
                run(*WSGI, **right | {name: keys}).check_returncode()
            assert "finora.E020" in run(*WSGI, **right).stderr
            right[name] = f"{new},{old}"


@pytest.mark.once
def test_lost_demo_keys_stop_the_start_and_the_hint_says_what_to_do(tmp_path):
    with deployment(tmp_path) as run:
        run("manage.py", "migrate", "-v0", SECRET_KEY="").check_returncode()
        (tmp_path / "demo-keys.json").unlink()
        started = run(*WSGI, SECRET_KEY="")
        assert "finora.E020" in started.stderr
        assert "demo-keys.json" in started.stderr


@pytest.mark.once
def test_a_server_does_not_start_on_tables_that_are_not_there(tmp_path):
    with deployment(tmp_path) as run:
        started = run("manage.py", "serve", SECRET_KEY="")
        assert started.returncode != 0
        assert "manage.py migrate" in started.stderr


@pytest.mark.once
def test_nothing_starts_while_the_database_cannot_be_asked(tmp_path):
    with deployment(tmp_path) as run:
        started = run(
            *WSGI,
            SECRET_KEY="",
            DATABASE_URL="sqlite:////nonexistent/directory/db.sqlite3",
        )
        assert started.returncode != 0
        assert "OperationalError" in started.stderr


# --- Values under a key that a process lacks ----------------------------------------------------


def test_a_value_under_a_key_that_is_lacked_is_named_in_log_and_readyz(
    api, business, settings, log
):
    [old] = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [new_key(ENCRYPTION), old]
    rows = [factories.customer(business, name=name, phone="0803 123 4567") for name in "AB"]
    strange = keyring.sealing_key_id().hex()
    settings.ENCRYPTION_KEYS = [old]
    factories.customer(business, name="C")
    log.truncate(0)
    for _ in range(3):
        meta = api.get("/v1/customers").json()["meta"]
        assert meta["unreadable"] == [row.public_id for row in rows]
    lines = [line for line in log.getvalue().splitlines() if '"encryptionKey"' in line]
    assert len(lines) == 1
    assert strange in lines[0]
    assert accepted(api.get("/readyz")) == {"status": "ok", "missedKeys": [strange]}


def test_forged_key_ids_do_not_fill_the_memory(db, client):
    for n in range(100):
        sealed = b"\x01" + n.to_bytes(4) + bytes(40)
        with pytest.raises(SealError, match=n.to_bytes(4).hex()):
            keyring.unseal(sealed, purpose="field", business_id=1, context=b"")
    assert len(accepted(client.get("/readyz"))["missedKeys"]) == 16


# --- An answer that nothing of opens ------------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"q": "acme"}, {"status": "all"}])
def test_a_list_of_which_no_row_opens_is_a_500(api, business, settings, log, query):
    for name in ("Acme A", "Acme B"):
        factories.customer(business, name=name)
    path = "/v1/customers/search" if "q" in query else "/v1/customers"
    assert accepted(api.get(path, query))["count"] == 2
    settings.ENCRYPTION_KEYS = [new_key(ENCRYPTION)]
    refused(api.get(path, query), 500, "INTERNAL_ERROR")
    assert "customer unreadable" in log.getvalue()


def test_an_empty_list_is_no_error(api, business, settings):
    settings.ENCRYPTION_KEYS = [new_key(ENCRYPTION)]
    assert accepted(api.get("/v1/customers"))["count"] == 0
