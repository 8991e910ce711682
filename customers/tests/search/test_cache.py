"""The cache of opened segments keeps what was used last, within its bound."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.search.cache import SegmentCache
from customers.search.segment import Entry, build


def segment_of(size):
    """A segment of at least `size` letters."""
    return build([Entry("cust_" + "0" * 26, "a" * size, "")])


@pytest.fixture
def one():
    return segment_of(100)


def test_what_was_put_is_got_and_the_rest_is_not_there(one):
    cache = SegmentCache(one.nbytes)
    cache.put("a", one)
    assert cache.get("a") is one
    assert cache.get("b") is None
    assert cache.nbytes == one.nbytes


def test_the_least_recently_used_goes_first(one):
    cache = SegmentCache(2 * one.nbytes)
    cache.put("a", one)
    cache.put("b", one)
    cache.get("a")
    cache.put("c", one)
    assert [key for key in "abc" if cache.get(key)] == ["a", "c"]


def test_putting_again_counts_as_use_and_counts_the_size_once(one):
    cache = SegmentCache(2 * one.nbytes)
    for key in "aba":
        cache.put(key, one)
    assert cache.nbytes == 2 * one.nbytes
    cache.put("c", one)
    assert [key for key in "abc" if cache.get(key)] == ["a", "c"]


def test_a_large_segment_drives_out_as_many_as_it_needs(one):
    cache = SegmentCache(4 * one.nbytes)
    for key in "abcd":
        cache.put(key, one)
    cache.put("large", segment_of(150))
    assert [key for key in "abcd" if cache.get(key)] == ["c", "d"]


def test_a_segment_larger_than_the_bound_is_not_kept_and_drives_out_nothing(one):
    cache = SegmentCache(one.nbytes)
    cache.put("a", one)
    cache.put("large", segment_of(101))
    assert cache.get("large") is None
    assert cache.get("a") is one


def test_a_cleared_cache_is_empty(one):
    cache = SegmentCache(one.nbytes)
    cache.put("a", one)
    cache.clear()
    assert cache.get("a") is None
    assert cache.nbytes == 0
    cache.put("b", one)
    assert cache.get("b") is one


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 400))), st.integers(0, 1000))
def test_the_size_is_that_of_what_is_kept_and_within_the_bound(puts, max_bytes):
    cache = SegmentCache(max_bytes)
    for key, size in puts:
        cache.put(key, segment_of(size))
        kept = [segment for key in range(7) if (segment := cache.get(key))]
        assert cache.nbytes == sum(segment.nbytes for segment in kept) <= max_bytes


def test_threads_leave_the_count_right():
    class Slow:
        """Lets another thread in whenever its size is read."""

        @property
        def nbytes(self):
            time.sleep(0)
            return 100

    one = Slow()
    cache = SegmentCache(5 * one.nbytes)
    failures = []

    def work(seed):
        try:
            for n in range(1000):
                cache.put((seed * n) % 11, one)
                cache.get((seed + n) % 11)
                if n % 200 == 0:
                    cache.clear()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (3, 5, 7, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    kept = [key for key in range(11) if cache.get(key)]
    assert cache.nbytes == len(kept) * one.nbytes
