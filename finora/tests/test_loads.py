"""What loads of many rows stand on."""

import gc
import sys
import threading

import pytest

from finora import loads


def test_the_next_is_made_on_another_thread_while_one_is_used():
    second_begun = threading.Event()
    makers = set()

    def items():
        for n in range(3):
            makers.add(threading.current_thread())
            if n == 1:
                second_begun.set()
            yield n

    used = []
    for item in loads.ahead(items()):
        assert second_begun.wait(60)  # while the first is in hand
        used.append(item)
    assert used == [0, 1, 2]
    assert threading.current_thread() not in makers


def test_what_making_raises_comes_to_who_uses_it_after_what_was_made():
    def items():
        yield 1
        raise ValueError("broken")

    used = []
    with pytest.raises(ValueError, match="broken"):
        used.extend(loads.ahead(items()))
    got = loads.ahead(items())
    assert next(got) == 1
    got.close()  # given up in between, no thread is left
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_a_load_leaves_the_process_as_it_was():
    def load():
        with loads.in_bulk() as collect:
            assert not gc.isenabled()
            assert sys.getswitchinterval() == pytest.approx(loads.TURN_SECONDS)
            collect()
            raise ValueError("broken")

    before = sys.getswitchinterval()
    with pytest.raises(ValueError, match="broken"):
        load()
    assert gc.isenabled()
    assert sys.getswitchinterval() == before
