"""Whatever a directory went through, a search answers what brute force over its rows does."""

from itertools import count, cycle

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from customers.models import Customer
from customers.querysets import EmailInUse
from customers.search import index, store
from customers.search.models import Unpacked
from finora.sealing import SealError
from finora.tests.kit import factories
from finora.tests.kit.directories import (
    directory,
    flip,
    found,
    matches,
    meant,
    searched,
    small_steps,
)

# Accents in both normal forms, letters that fold to several, what is special in SQL patterns,
# regular expressions and ids, and a name whose key is cut.
PIECES = [
    "Ola",
    "Ọlá",
    "O\u0323\u0301la",
    "ola",
    "Fuß",
    "FUSS",
    "ŉ",
    "İ",
    "ﬁ",
    "fi",
    "%",
    "_",
    "\\",
    "cust_01",
    "é",
    "e\u0301",
    "a@b.co",
    "ﷺ" * 150,
    " ",
]
pieces = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join)
names = pieces.filter(lambda name: name.strip() and len(name) <= 200)
# Few, so that one is often taken, freed and taken again.
emails = st.builds(
    "{}{}@{}".format,
    st.sampled_from(["ola", "ọlá", "cust_", "x%", "fuß"]),
    st.integers(0, 5),
    st.sampled_from(["b.co", "ola.ng"]),
)
QUERIES = [
    "ola",
    "ọla",
    "lá",
    "ss",
    "ß",
    "n",
    "i",
    "fi",
    "ﬁ",
    "%",
    "_",
    "\\",
    "cust_",
    "cust_01k",
    "@",
    "b.co",
    "l",
    "o",
    "é",
    "e",
    "\u0301a",
    "1@",
    "aa",
    "a ",
    "صلى",
    "ﷺﷺ",
    "olaola",
    "0",
]

PHONES = ["0803 123 4567", "+2348031230001", "08031234567 ext 9", "none", "12 34", "5555-6666"]
# What staff type: words in any order, ends of phones, and what is exact.
TYPED = [
    *QUERIES,
    "ola fuß",
    "fuß ọlá",
    "b.co ola",
    "4567",
    "ola 4567",
    "0001 ọlá",
    "0803-123-4567",
    "none",
    "acme",
    "ácme ola",
    "acme 4567 b.co",
    "12345678 0001",
    "\u0301",
    "ola0@b.co",
    "x\x00",
]

numbers = st.integers(0, 10_000)


class History(RuleBasedStateMachine):
    """One business goes through it; the one beside holds the same texts and stays as it is."""

    serial = count()
    queries = cycle(QUERIES)
    limits = cycle([1, 2, 5, 50])
    typed = cycle(TYPED)
    which = cycle([{}, {"is_active": True}, {"is_active": False}])

    @initialize()
    def two_businesses(self):
        self.business, self.beside = factories.business(), factories.business()
        for name in ("Ola", "Ọlá", "Fuß"):
            factories.customer(self.beside, name=name, email=f"ola{next(self.serial)}@b.co")
        index.pack(self.beside)
        self.texts_beside = directory(self.beside)

    def some(self, number, **which):
        """One of the business's customers, or None."""
        rows = Customer.objects.filter(business=self.business, **which).order_by("pk")
        total = rows.count()
        return rows[number % total] if total else None

    # Changes.

    @rule(name=names, email=emails)
    def create(self, name, email):
        try:
            factories.customer(self.business, name=name, email=email)
        except EmailInUse:
            factories.customer(self.business, name=name, email=f"{next(self.serial)}{email}")

    @rule(name=names, many=st.integers(1, 30))
    def import_many(self, name, many):
        self.business.customers.import_packed(
            [
                Customer(business=self.business, name=name, email=f"{next(self.serial)}@b.co")
                for _ in range(many)
            ]
        )

    @rule(number=numbers, name=names)
    def rename(self, number, name):
        if customer := self.some(number, is_active=True):
            self.edit(customer, {"name": name})

    @rule(number=numbers, email=emails)
    def change_email(self, number, email):
        if customer := self.some(number, is_active=True):
            self.edit(customer, {"email": email})

    def edit(self, customer, changes):
        try:
            self.business.customers.edit(customer.public_id, changes)
        except (EmailInUse, SealError):
            pass

    @rule(number=numbers)
    def save_without_a_change(self, number):
        if customer := self.some(number, is_active=True):
            customer.save()

    @rule(number=numbers)
    def touch_what_is_not_searched(self, number):
        if customer := self.some(number, is_active=True):
            self.edit(customer, {"address": f"{number} Marina"})

    @rule(
        number=numbers,
        phone=st.sampled_from([*PHONES, None]),
        company=st.sampled_from(["Acme Ltd", "Ácmé", "Ola & Sons", None]),
        tin=st.sampled_from(["12345678-0001", None]),
    )
    def change_what_staff_alone_look_for(self, number, phone, company, tin):
        if customer := self.some(number, is_active=True):
            self.edit(customer, {"phone": phone, "company_name": company, "tin": tin})

    @rule(number=numbers)
    def erase(self, number):
        if customer := self.some(number):
            customer.erase()

    @rule(number=numbers)
    def delete(self, number):
        if customer := self.some(number, is_active=True):
            customer.delete()

    @rule(number=numbers, many=st.integers(2, 20))
    def delete_many(self, number, many):
        rows = Customer.objects.filter(business=self.business).order_by("pk")
        pks = list(rows.values_list("pk", flat=True)[number % (rows.count() + 1) :][:many])
        Customer.objects.filter(pk__in=pks).delete()

    @rule(number=numbers)
    def restore(self, number):
        if customer := self.some(number, is_active=False, erased_at=None):
            try:
                customer.restore()
            except (EmailInUse, SealError):
                pass

    @rule(number=numbers)
    def forge_an_email(self, number):
        if customer := self.some(number, erased_at=None):
            factories.store(customer, "email", "s1.AAAA")

    # Upkeep.

    @rule()
    def pack(self):
        index.pack(self.business)

    @rule(times=st.integers(1, 12))
    def keep_up(self, times):
        for _ in range(times):
            index.step(self.business)

    @rule()
    def repack(self):
        index.repack(self.business)

    @rule()
    def repack_cut_off(self):
        def stop(rows):
            if rows > 5:
                raise KeyboardInterrupt

        try:
            index.repack(self.business, stop)
        except KeyboardInterrupt:
            pass

    @rule()
    def forget_opened_segments(self):
        store.cache().clear()

    @rule(number=numbers, byte=st.integers(0, 40))
    def damage_a_segment(self, number, byte):
        if pks := list(store.rows(self.business.pk).values_list("pk", flat=True)):
            flip(sorted(pks)[number % len(pks)], byte)
            store.cache().clear()

    @rule(max_bytes=st.sampled_from([0, 300, 2_000, 1 << 20]))
    def bound_the_cache(self, max_bytes):
        settings.SEARCH_CACHE_BYTES = max_bytes
        store.cache.cache_clear()

    @precondition(lambda self: self.some(0) is not None)
    @rule()
    def drop_all_segments_and_pack_again(self):
        store.rows(self.business.pk).delete()
        known = Customer.objects.filter(business=self.business).not_erased()
        Unpacked.objects.add(self.business.pk, known.values_list("public_id", flat=True))

    # What holds.

    @invariant()
    def finds_what_brute_force_finds(self):
        rows = directory(self.business)
        queries = [(next(self.queries), 50), (next(self.queries), 3)]
        if rows:
            queries += [(rows[len(rows) // 2][1], 50), (rows[-1][2][-4:], next(self.limits))]
        for query, limit in queries:
            assert found(self.business, query, limit) == matches(rows, query, limit), query

    @invariant()
    def staff_find_what_brute_force_finds(self):
        both = [self.beside, self.business]
        for size in (next(self.limits), 50):
            typed, which = next(self.typed), next(self.which)
            expected = meant(both, typed, **which)
            assert searched(both, typed, size, **which) == expected, (typed, which)

    @invariant()
    def the_business_beside_is_none_of_its_business(self):
        query = next(self.queries)
        assert found(self.beside, query) == matches(self.texts_beside, query)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_search_is_right_after_every_step(monkeypatch):
    small_steps(monkeypatch)
    monkeypatch.setattr(settings, "SEARCH_CACHE_BYTES", 1 << 20)
    run_state_machine_as_test(
        History,
        settings=hypothesis(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    store.cache.cache_clear()
