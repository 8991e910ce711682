"""An export is made as it is taken: what is in memory does not grow with its rows."""

import tracemalloc

import pytest
from django.core.management import call_command

from customers import finding
from customers.admin import bulk
from customers.querysets import CustomerQuerySet
from customers.search import by_words
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST
from finora.tests.kit.fixtures import Api

pytestmark = pytest.mark.django_db

PAGE, FEW, MANY = 50, 150, 600


@pytest.fixture
def businesses():
    """One of a few customers, some pages; and one of five times as many."""
    made = [factories.business(), factories.business()]
    for business, count in zip(made, (FEW, MANY), strict=True):
        rows = [
            business.customers.new(name=f"Ada {n}", email=f"c{n}@example.com", address="1 Marina")
            for n in range(count)
        ]
        business.customers.import_packed(rows)
    return made


def peak(take):
    """Bytes of Python's, at most, while this is done."""
    tracemalloc.start()
    try:
        take()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(params=["command", "api", "admin", "admin's search"])
def export(request, staff, tmp_path, monkeypatch):
    """One way out, of a business, taken line by line."""
    in_pages = CustomerQuerySet.in_pages
    monkeypatch.setattr(CustomerQuerySet, "in_pages", lambda rows, size=0: in_pages(rows, PAGE))
    monkeypatch.setattr(bulk, "MOST", PAGE)
    monkeypatch.setattr(finding, "PAGE", PAGE)
    monkeypatch.setattr(by_words, "FEW_ROWS", PAGE)

    def taken(answer):
        for _ in answer.streaming_content:
            pass

    def export(business):
        if request.param == "command":
            file = tmp_path / business.public_id
            call_command("export_customers", business.public_id, file, reveal=True)
            file.unlink()
        elif request.param == "api":
            taken(Api(business).get("/v1/customers/export"))
        else:
            url, count = f"{LIST}?business={business.public_id}", business.customers.count()
            if request.param != "admin":
                url, count = staff.post(url, {"q": "ada"})["Location"], bulk.MOST + 1
            confirmed = {"everything": "export", "confirmed": "yes", "count": str(count)}
            taken(staff.post(url, confirmed))

    return export


def test_memory_does_not_grow_with_the_rows(businesses, export):
    few, many = businesses
    export(many)  # what is kept for good is there from here on
    more = peak(lambda: export(many)) - peak(lambda: export(few))
    assert more < (MANY - FEW) * 800  # one that is held takes 1,200 and more
