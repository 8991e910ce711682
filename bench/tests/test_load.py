"""Both generators of load, on a real server."""

import pytest

from bench import load
from bench.calls import FIND_OR_CREATE, NEW
from bench.load import Calls, LoadFailed
from bench.plan import CONNECTIONS
from customers.models import Customer
from finora.tests.kit import factories
from finora.tests.kit.served import Served

# The one in Python, and wrk where it is installed.
GENERATORS = [None, *([load.WRK] if load.WRK else [])]


@pytest.fixture
def server(transactional_db, tmp_path):
    there = Served(tmp_path / "server.log").wait()
    yield there
    there.stop()


@pytest.mark.parametrize("wrk", GENERATORS, ids=["Python", "wrk"][: len(GENERATORS)])
def test_each_request_of_each_slice_makes_a_customer_of_its_own(wrk, server, monkeypatch):
    monkeypatch.setattr(load, "WRK", wrk)
    business = factories.business()
    calls = Calls.posts(factories.api_key(business)[1], FIND_OR_CREATE, [NEW])
    done = load.load(server.port, calls, slices=2, seconds=1)
    assert done.requests > 0
    assert 0 < done.p50 <= done.p99 <= done.max
    assert done.cpu > 0
    # wrk leaves those that are under way when its time is over.
    made = Customer.objects.in_business(business.pk).count()
    assert done.requests <= made <= done.requests + 2 * CONNECTIONS


@pytest.mark.parametrize("wrk", GENERATORS, ids=["Python", "wrk"][: len(GENERATORS)])
def test_a_refusal_is_no_figure(wrk, server, monkeypatch):
    monkeypatch.setattr(load, "WRK", wrk)
    calls = Calls.gets("fnr_test_nobodys", ["/v1/api-keys"])
    with pytest.raises(LoadFailed, match="failed"):
        load.load(server.port, calls, slices=1, seconds=1)
