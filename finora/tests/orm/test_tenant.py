"""A tenant's row knows itself by its business and its key, however Django comes to it."""

from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from finora import clock
from finora.audit.models import AuditEvent
from finora.audit.refusal import Refusal
from finora.orm.tenant import RowGone
from finora.tests.kit import factories


@pytest.fixture
def refusal(business):
    return Refusal.objects.create(
        business=business, actor_kind="key", action="x", subject="cust_1", minute=clock.now()
    )


@contextmanager
def each_names(business):
    with CaptureQueriesContext(connection) as captured:
        yield
    sent = [query["sql"] for query in captured if "_refusal" in query["sql"]]
    assert sent
    for sql in sent:
        assert f'"business_id" = {business.pk}' in sql, sql


def test_a_row_is_saved_read_again_and_deleted_by_its_business(refusal, business):
    with each_names(business):
        refusal.count = 7
        refusal.save()
        refusal.refresh_from_db()
        refusal.refresh_from_db(fields=["count"])
        late = Refusal.objects.in_business(business.pk).defer("count").get()
        assert late.count == 7
        late.delete()
    assert not Refusal.objects.exists()


def test_a_save_sets_no_business(refusal):
    with CaptureQueriesContext(connection) as captured:
        refusal.save()
    [sql] = [query["sql"] for query in captured]
    assert "business_id" not in sql.partition("WHERE")[0]


def test_a_row_keeps_its_business(refusal, other_business):
    for name, value in {"business": other_business, "business_id": other_business.pk}.items():
        with pytest.raises(TypeError, match="keeps its business"):
            setattr(refusal, name, value)
        with pytest.raises(TypeError, match="keeps it"):
            Refusal.objects.update(**{name: value})
        with pytest.raises(TypeError, match="keeps it"):
            Refusal.objects.bulk_update([refusal], [name])
    refusal.business_id = refusal.business_id  # as refresh_from_db() does
    assert Refusal.objects.get().business_id == refusal.business_id


def test_a_row_of_another_business_is_not_reached_by_its_key(refusal, other_business):
    thief = Refusal(
        pk=refusal.pk, business=other_business, actor_kind="key", action="x", subject="y",
        minute=refusal.minute, count=9,
    )  # fmt: skip
    thief._state.adding = False
    with pytest.raises(RowGone), transaction.atomic():
        thief.save()
    assert thief.delete() == (0, {})
    assert Refusal.objects.get().count == 0


def test_a_row_that_went_does_not_come_back(refusal):
    refusal.itself().delete()
    with pytest.raises(RowGone), transaction.atomic():
        refusal.save()
    assert not Refusal.objects.exists()


def test_many_are_changed_business_by_business(refusal, other_business):
    other = Refusal.objects.create(
        business=other_business, actor_kind="key", action="x", subject="y", minute=clock.now()
    )
    refusal.count, other.count = 3, 4
    with CaptureQueriesContext(connection) as captured:
        assert Refusal.objects.bulk_update([refusal, other], ["count"]) == 2
    updates = [q["sql"] for q in captured if q["sql"].startswith("UPDATE")]
    assert all('"business_id" = ' in sql for sql in updates)
    assert len(updates) == 2
    assert [row.count for row in Refusal.objects.order_by("business_id")] == [3, 4]


def test_rows_are_gone_through_business_by_business(business, other_business):
    for each in (other_business, business, business):
        factories.customer(each)
    events = AuditEvent.objects.filter(action="created", subject__startswith="cust_")
    found = {pk: rows.count() for pk, rows in events.by_business()}
    assert found == {business.pk: 2, other_business.pk: 1}
    assert list(found) == sorted(found)
