"""What loads of many rows stand on."""

import gc
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection

import pytest
from django.db import DatabaseError, connection

from finora import loads


def test_the_next_is_made_by_another_process_while_one_is_used():
    second_begun = multiprocessing.Event()

    def items():
        for n in range(3):
            if n == 1:
                second_begun.set()
            yield n, os.getpid()

    used = []
    with loads.ahead(items()) as made:
        for item in made:
            assert second_begun.wait(60)  # while the first is in hand
            used.append(item)
    assert [n for n, _ in used] == [0, 1, 2]
    [maker] = {pid for _, pid in used}
    assert maker != os.getpid()
    assert not multiprocessing.active_children()


def test_what_making_raises_comes_to_who_uses_it_after_what_was_made():
    def items():
        yield 1
        raise ValueError("broken")

    used = []
    with pytest.raises(ValueError, match="broken") as raised, loads.ahead(items()) as made:
        used.extend(made)
    assert used == [1]
    assert "in items" in raised.value.__notes__[0]
    assert not multiprocessing.active_children()


def test_given_up_in_between_no_process_is_left():
    def items():
        while True:
            yield bytes(1 << 20)

    def use():
        with loads.ahead(items()) as made:
            next(made)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert not multiprocessing.active_children()


def test_a_maker_that_was_killed_is_no_end():
    def items():
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    used = []
    with pytest.raises(loads.MakerLost), loads.ahead(items()) as made:
        used.extend(made)
    assert used == [1]


def test_a_maker_that_was_killed_in_the_middle_of_an_item_is_no_end():
    def half(self, data, *_):
        os.write(self.fileno(), data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    def items():
        yield 1
        Connection._send = half  # of the maker's process alone
        yield 2

    used = []
    with pytest.raises(loads.MakerLost), loads.ahead(items()) as made:
        used.extend(made)
    assert used == [1]


@pytest.mark.django_db(transaction=True)
def test_who_uses_them_keeps_its_session_with_the_database():
    def asked():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone()

    assert asked() == (1,)
    session = connection.connection
    with loads.ahead(iter(range(3))) as made:
        assert [(n, asked()) for n in made] == [(n, (1,)) for n in range(3)]
    assert asked() == (1,)
    assert connection.connection is session


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_makes_them_has_no_session():
    def items():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield 1

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    with pytest.raises(DatabaseError), loads.ahead(items()) as made:
        next(made)


def test_a_load_leaves_the_process_as_it_was():
    def load():
        with loads.in_bulk() as collect:
            assert not gc.isenabled()
            collect()
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        load()
    assert gc.isenabled()
