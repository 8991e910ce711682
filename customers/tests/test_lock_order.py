"""Nobody waits for whoever waits for them: PostgreSQL would end one of the two with an error."""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from customers.managers import CustomerManager
from customers.models import Customer
from finora import clock
from finora.api.models import StoredAnswer, StoredAnswerQuerySet
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted
from finora.tests.kit.races import together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

FOUND = "/v1/customers/find-or-create"


class Meeting:
    """Of two threads, each with what it has locked so far; unless one waits for the other already,
    as it should: then for a moment.
    """

    def __init__(self, monkeypatch):
        self.monkeypatch, self.barrier = monkeypatch, threading.Barrier(2)

    def before(self, owner, name):
        """A thread that calls this meets the other one first."""
        real = getattr(owner, name)

        def met(*args, **kwargs):
            with suppress(threading.BrokenBarrierError):
                self.barrier.wait(0.7)
            return real(*args, **kwargs)

        self.monkeypatch.setattr(owner, name, met)


@pytest.fixture
def meeting(monkeypatch):
    return Meeting(monkeypatch)


def call(api, email, key):
    return api.post(FOUND, {"email": email}, headers={"Idempotency-Key": key})


def test_an_erasure_and_a_call_that_removes_an_old_answer_about_the_same_one(api, meeting):
    ada = factories.customer(api.business, email="ada@example.com")
    accepted(call(api, ada.email, "yesterday"))
    StoredAnswer.objects.update(created_at=clock.now() - timedelta(hours=25))
    meeting.before(CustomerManager, "hold")
    meeting.before(StoredAnswerQuerySet, "forget")
    answer, _ = together(partial(call, api, ada.email, "today"), ada.erase)
    assert answer.status_code in (200, 201)
    assert Customer.objects.get(pk=ada.pk).erased_at
    assert not StoredAnswer.objects.exists()


@pytest.mark.parametrize("change", ["edit", "erase", "restore"])
def test_a_change_and_who_takes_turns_while_a_blind_index_key_is_changed(
    business, meeting, settings, change
):
    settings.BLIND_INDEX_KEYS = [secrets.token_urlsafe(32), *settings.BLIND_INDEX_KEYS]
    ada = factories.customer(business)
    if change == "restore":
        ada.delete()
    does = {"edit": partial(ada.edit, name="Bola"), "erase": ada.erase, "restore": ada.restore}

    def claim():
        """As a call with an Idempotency-Key does then, which goes on to its customer."""
        hashes = [(b"key", b"body"), (b"old key", b"old body")]
        with transaction.atomic():
            StoredAnswer.objects.claim(business.pk, hashes)
            return business.customers.lock(ada.public_id)

    meeting.before(CustomerManager, "lock")
    meeting.before(Customer, "_refuse_email_under_any_key")
    meeting.before(StoredAnswerQuerySet, "forget")
    locked, _ = together(claim, does[change])
    assert locked == ada
