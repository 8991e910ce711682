"""python -m bench.drills.history_steps [--steps N] [--seconds S]: the history itself.

Goes through models and managers, with a database of its own, until the steps are done or the time
is over. Prints what was done and what was wrong, as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from math import inf
from typing import Any

import django

from bench.drills import new_keys
from bench.drills.ledger import Row, unsorted, wrong_search
from bench.drills.model import Model

# One directory lives so long, and is then left behind: brute force over it stays affordable.
LIFE = 10_000
COMPARISONS = 4  # of all rows, in a life
EMAILS = 1_500
STOP_AT = 20  # findings
NAMES = ["Ola", "Ọlá", "Adébáyọ̀", "Adebayo", "Fuß", "FUSS", "Ngozi", "İbrahim", "%", "_x", "Ab"]
NAMES += ["cust_01", "e\u0301", "ﬁ", "Chi di"]
QUERIES = ["ola", "ọla", "lá", "ss", "ß", "n", "fi", "%", "_", "cust_", "@", ".ng", "adebayo", "é"]
QUERIES += ["bayọ", "o", "shop1", "9@", "a b", "chi", "erased"]


class History:
    def __init__(self, steps: float, seed: int, seconds: float = inf) -> None:
        self.steps, self.chance = steps, random.Random(seed)
        self.ends_at = time.monotonic() + seconds
        self.did: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.checks = self.comparisons = 0
        self.kinds: list[tuple[Callable[[], None], float]] = [
            (self.create, 20),
            (self.find_or_create, 15),
            (self.edit, 22),
            (self.save_partly_loaded, 5),
            (self.delete, 17),
            (self.restore, 8),
            (self.erase, 0.5),
            (self.delete_many, 0.1),
            (self.import_many, 0.1),
            (self.pack, 0.3),
            (self.upkeep, 0.3),
            (self.repack, 0.02),
            (self.repack_cut_off, 0.02),
            (self.look_up, 9),
            (self.search, 1.5),
            (self.page, 1),
        ]

    def run(self) -> None:
        from finora.tenants.models import Business

        calls, weights = zip(*self.kinds, strict=True)
        left = self.steps
        while left > 0 and not self.is_over():
            life = int(min(LIFE, left))
            left -= life
            self.model = Model()
            self.business = Business.objects.create(name="A life")
            turns = new_keys.turns(life, self.chance, self.rotate)
            compared = {life * n // COMPARISONS for n in range(1, COMPARISONS + 1)}
            for n, call in enumerate(self.chance.choices(calls, weights, k=life), start=1):
                before = len(self.wrong)
                try:
                    call()
                except Exception as error:  # an end that no step has: a finding as any other
                    self.wrong.append(f"ended with {error!r}")
                self.did[call.__name__] += 1
                if turn := turns.get(n):
                    turn()
                if n in compared:
                    self.compare()
                for line in range(before, len(self.wrong)):
                    self.wrong[line] = f"step {n} of {life}, {call.__name__}: {self.wrong[line]}"
                if self.is_over():
                    self.compare()
                    break

    def is_over(self) -> bool:
        return len(self.wrong) >= STOP_AT or time.monotonic() > self.ends_at

    # What a step needs.

    def customers(self) -> Any:
        return self.business.customers

    def name(self) -> str:
        pieces = self.chance.choices(NAMES, k=self.chance.randint(1, 3))
        return " ".join(pieces)

    def email(self) -> str:
        number = self.chance.randrange(EMAILS)
        email = f"shop{number}@example{number % 7}.ng"
        return email.upper() if self.chance.random() < 0.2 else email

    def phone(self) -> str | None:
        return self.chance.choice([None, f"0803{self.chance.randrange(500):07}"])

    def expect(self, wanted: object, got: object, what: str) -> None:
        if wanted != got:
            self.wrong.append(f"{what}: {got!r} instead of {wanted!r}")

    # Changes.

    def create(self) -> None:
        from customers.models import Customer
        from customers.querysets import EmailInUse

        name, email, phone = self.name(), self.email(), self.phone()
        holder = self.model.holder(email)
        try:
            made = Customer.objects.create(
                business=self.business, name=name, email=email, phone=phone
            )
        except EmailInUse as error:
            self.expect(holder, error.public_id, f"create of {email} is refused for")
            return
        self.expect(None, holder, f"create of {email} beside")
        self.model.add(made.public_id, name, email, phone)

    def find_or_create(self) -> None:
        name, email, phone = self.name(), self.email(), self.phone()
        holder = self.model.holder(email)
        found, made = self.business.customers.find_or_create(email, name=name, phone=phone)
        self.expect(holder is None, made, f"find_or_create of {email} made one")
        if made:
            self.model.add(found.public_id, name, email, phone)
        else:
            self.expect(holder, found.public_id, f"find_or_create of {email} found")

    def changes(self) -> Row:
        fields = self.chance.sample(["name", "email", "phone"], self.chance.randint(1, 2))
        return {field: getattr(self, field)() for field in fields}

    def edit(self) -> None:
        from customers.querysets import CustomerInactive

        if row := self.model.any(self.chance):
            changes = self.changes()
            change = partial(self.customers().edit, row["id"], changes)
            if row["isActive"]:
                self.try_to_change(row, changes, change)
            else:
                try:
                    change()
                except CustomerInactive:
                    return
                self.wrong.append(f"{row['id']}: edited, and it is inactive")

    def save_partly_loaded(self) -> None:
        """A column that follows another one is written with it, whatever was loaded."""
        if (row := self.model.any(self.chance)) and row["isActive"]:
            changes = self.changes()
            load: Any = self.chance.choice(
                [
                    lambda rows: rows.get_shown(row["id"]),
                    lambda rows: rows.only("public_id", "name").get(public_id=row["id"]),
                    lambda rows: rows.defer("email_hash", "name_key").get(public_id=row["id"]),
                ]
            )
            customer = load(self.customers())
            for field, value in changes.items():
                setattr(customer, field, value)
            self.try_to_change(row, changes, customer.save)

    def try_to_change(self, row: Row, changes: Row, change: Callable[[], object]) -> None:
        from customers.querysets import EmailInUse

        email: str = changes.get("email") or row["email"]
        try:
            change()
        except EmailInUse as error:
            self.expect(self.model.holder(email), error.public_id, "a change is refused for")
            return
        except (TypeError, ValueError):
            return  # refused as a whole: a later comparison sees whether it was
        if not self.model.may_take(email, row["id"]):
            self.wrong.append(f"{row['id']}: was given {email}, which another one has")
            return
        self.model.change(row["id"], changes)

    def delete(self) -> None:
        if row := self.model.any(self.chance):
            self.customers().get(public_id=row["id"]).delete()
            self.model.delete(row["id"])

    def delete_many(self) -> None:
        rows = [row for _ in range(30) if (row := self.model.any(self.chance))]
        ids = {row["id"] for row in rows}
        wanted = sum(self.model.rows[public_id]["isActive"] for public_id in ids)
        count, _ = self.customers().filter(public_id__in=ids).delete()
        self.expect(wanted, count, "delete() of many says")
        for public_id in ids:
            self.model.delete(public_id)

    def restore(self) -> None:
        from customers.querysets import CustomerErased, EmailInUse

        if (row := self.model.any(self.chance)) and not row["isActive"]:
            holder = self.model.holder(row["email"])
            customer = self.customers().get(public_id=row["id"])
            try:
                customer.restore()
            except CustomerErased:
                self.expect(True, row["erased"], f"{row['id']} is said to be erased")
                return
            except EmailInUse as error:
                self.expect(holder, error.public_id, "restore is refused for")
                return
            self.expect((None, False), (holder, row["erased"]), f"{row['id']} was restored beside")
            self.model.restore(row["id"])

    def erase(self) -> None:
        from customers.models import ERASED_EMAIL
        from customers.table import ERASED_NAME

        if row := self.model.any(self.chance):
            self.customers().get(public_id=row["id"]).erase()
            self.model.erase(row["id"], ERASED_NAME, ERASED_EMAIL.format(row["id"]))

    def import_many(self) -> None:
        from customers.models import Customer

        emails = dict.fromkeys(self.email().lower() for _ in range(60))
        made = [
            Customer(business=self.business, name=self.name(), email=email, phone=self.phone())
            for email in emails
            if self.model.holder(email) is None
        ]
        if made:
            self.business.customers.import_packed(made)
        for customer in made:
            self.model.add(customer.public_id, customer.name, customer.email, customer.phone)

    # Upkeep.

    def pack(self) -> None:
        from customers.search import index

        index.pack(self.business)

    def upkeep(self) -> None:
        from customers.search import index

        while index.step(self.business):
            pass

    def repack(self) -> None:
        from customers.search import index

        index.repack(self.business)

    def repack_cut_off(self) -> None:
        """Ends as a killed process does, somewhere between two pages."""
        from customers.search import index

        def stop(_: int) -> None:
            raise KeyboardInterrupt

        try:
            index.repack(self.business, stop)
        except KeyboardInterrupt:
            pass

    def rotate(self) -> None:
        new_keys.rotate()
        self.did["rotate"] += 1

    # What holds.

    def look_up(self) -> None:
        """By an exact email or phone, in any spelling."""
        self.checks += 1
        email, phone = self.email(), self.phone()
        self.expect(
            self.model.having("email", email.lower()),
            set(_ids(self.business.customers.with_email(email))),
            f"customers with the email {email}",
        )
        if phone is not None:
            spelled = f"+234 {phone[1:4]} {phone[4:]}"
            self.expect(
                self.model.having("phone", phone),
                set(_ids(self.business.customers.with_phone(spelled))),
                f"customers with the phone {spelled}",
            )

    def search(self) -> None:
        query = self.chance.choice(QUERIES)
        if (row := self.model.any(self.chance)) and self.chance.random() < 0.5:
            text = row[self.chance.choice(["name", "email"])]
            start = self.chance.randrange(len(text))
            query = text[start : start + self.chance.randint(1, 9)]
        self.checks += 1
        found = [c.public_id for c in self.business.customers.search(query)]
        self.wrong += wrong_search(self.model.rows.values(), query, found)

    def page(self) -> None:
        """One page of the list, from any place in it."""
        self.checks += 1
        size = self.chance.choice([1, 10, 50])
        rows = self.model.active()
        at = self.chance.randrange(len(rows) + 1)
        after = _place_of(rows[at - 1]) if at else None
        found = self.business.customers.page(size, after)
        if [c.public_id for c in found][:size] != [row["id"] for row in rows[at : at + size]]:
            self.wrong.append(f"a page of {size} behind row {at} differs from the model's")

    def compare(self) -> None:
        """All rows, opened, and the whole list."""
        self.comparisons += 1
        rows = [
            {
                "id": customer.public_id,
                "name": customer.name,
                "email": customer.email,
                "phone": customer.phone,
                "isActive": customer.is_active,
                "erased": customer.erased_at is not None,
            }
            for customer in self.customers().all()
        ]
        self.wrong += self.model.differences(rows)[:STOP_AT]
        listed = [
            {"id": public_id, "name": name}
            for public_id, name in self.customers()
            .active()
            .in_list_order()
            .values_list("public_id", "name")
        ]
        self.wrong += unsorted(listed)
        wanted = [row["id"] for row in self.model.active()]
        if [row["id"] for row in listed] != wanted:
            self.wrong.append("the list differs from the model's")
        self.wrong += self.erased_lines()

    def erased_lines(self) -> list[str]:
        """Lines of erased customers that a search segment still holds."""
        from customers.search import store

        erased = [row["id"] for row in self.model.rows.values() if row["erased"]]
        unreadable: set[Any] = set()
        segments = [s for g in store.opened(self.business.pk, unreadable) for s in g.values()]
        self.expect(set(), unreadable, "segments that cannot be opened")
        return [
            f"{public_id}: erased, and in a search segment"
            for public_id in erased
            for segment in segments
            if segment.without([public_id]) is not None
        ]


def _ids(rows: Iterable[Any]) -> list[str]:
    return [row.public_id for row in rows]


def _place_of(row: Row) -> tuple[bytes, str]:
    from finora.text import name_key

    return name_key(row["name"]), row["id"]


def main() -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=float, default=inf)
    parser.add_argument("--seconds", type=float, default=inf)
    options = parser.parse_args()
    history = History(options.steps, seed=2026, seconds=options.seconds)
    began = time.monotonic()
    history.run()
    minutes = (time.monotonic() - began) / 60
    told = {
        "did": history.did,
        "a_minute": round(sum(history.did.values()) / minutes),
        "checks": history.checks,
        "comparisons": history.comparisons,
        "wrong": history.wrong,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
