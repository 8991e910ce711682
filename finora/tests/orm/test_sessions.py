"""The row of a session, beside what Django's own load() says of it."""

from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from finora import clock
from finora.orm.sessions import session_row


def test_the_row_is_the_one_that_django_loads(db):
    store = SessionStore()
    store["colour"] = "blue"
    store.save()
    row = session_row(SessionStore(store.session_key))
    assert row == Session.objects.get()
    assert store.decode(row.session_data) == SessionStore(store.session_key).load()


def test_a_key_without_a_row_in_force_is_forgotten(db):
    ended = SessionStore()
    ended.save()
    Session.objects.update(expire_date=clock.now() - timedelta(seconds=1))
    for key in (ended.session_key, "a" * 32):
        ours, djangos = SessionStore(key), SessionStore(key)
        assert session_row(ours) is None
        assert djangos.load() == {}
        assert ours.session_key is djangos.session_key is None
