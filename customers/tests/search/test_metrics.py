"""What search tells of itself at `/metrics`."""

import pytest

from customers.search import index, store
from finora.tests.kit import factories
from finora.tests.kit.answers import names
from finora.tests.kit.directories import flip, small_steps

pytestmark = pytest.mark.django_db

SEGMENTS = "finora_search_segments_total{{cache={}}}"
UPKEEP = "finora_search_upkeep_duration_seconds_count{{step={}}}"


def test_the_tail_that_is_longest_is_told(business, other_business, scrape):
    assert scrape()["finora_search_tail_rows"] == 0
    for _ in range(3):
        factories.customer(business)
    factories.customer(other_business)
    assert scrape()["finora_search_tail_rows"] == 3
    index.pack(business)
    assert scrape()["finora_search_tail_rows"] == 1


def test_the_cache_of_segments_is_told(api, scrape):
    factories.customer(api.business, name="Ada Obi")
    index.pack(api.business)
    store.cache().clear()
    assert scrape()["finora_search_cache_bytes"] == 0
    for _ in range(3):
        assert names(api.get("/v1/customers/search", {"q": "ada"})) == ["Ada Obi"]
    seen = scrape()
    assert seen[SEGMENTS.format("miss")] == 1
    assert seen[SEGMENTS.format("hit")] == 2
    assert seen["finora_search_cache_bytes"] == store.cache().nbytes > 0
    store.cache().clear()
    assert scrape()["finora_search_cache_bytes"] == 0


def test_upkeep_is_timed(business, scrape, monkeypatch):
    small_steps(monkeypatch)
    assert not [name for name in scrape() if name.startswith("finora_search_upkeep")]
    for _ in range(index.MERGE_FAN):
        factories.customer(business)
        assert index.pack(business) == 1
    flip(store.rows(business.pk).first().pk, 60)
    store.cache().clear()
    while index.step(business):  # it merges, and so finds the damaged one and replaces it
        pass
    seen = scrape()
    assert [seen[UPKEEP.format(step)] for step in ("pack", "mend", "merge")] == [3, 1, 2]
