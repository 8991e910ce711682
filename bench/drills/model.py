"""What a directory must hold, told in plain Python: one row for each customer ever made."""

from __future__ import annotations

import random
from collections.abc import Iterable

from bench.drills.ledger import Row, doubled, place

FIELDS = ("name", "email", "phone", "isActive", "erased")


class Model:
    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._ids: list[str] = []
        self._holders: dict[str, str] = {}

    def add(self, public_id: str, name: str, email: str, phone: str | None) -> None:
        """A new active customer."""
        row = {"id": public_id, "name": name, "email": email.lower(), "phone": phone}
        self.rows[public_id] = row | {"isActive": True, "erased": False}
        self._ids.append(public_id)
        self._holders[email.lower()] = public_id

    def holder(self, email: str) -> str | None:
        """The active customer with this email."""
        return self._holders.get(email.lower())

    def may_take(self, email: str, public_id: str) -> bool:
        return self.holder(email) in (None, public_id)

    def change(self, public_id: str, changes: Row) -> None:
        """Of an active customer."""
        row = self.rows[public_id]
        if "email" in changes:
            changes = changes | {"email": changes["email"].lower()}
            self._free(public_id)
            self._holders[changes["email"]] = public_id
        row.update(changes)

    def delete(self, public_id: str) -> None:
        """Again it changes nothing."""
        row = self.rows[public_id]
        if row["isActive"]:
            row["isActive"] = False
            self._free(public_id)

    def restore(self, public_id: str) -> None:
        row = self.rows[public_id]
        row["isActive"] = True
        self._holders[row["email"]] = public_id

    def erase(self, public_id: str, name: str, email: str) -> None:
        self.delete(public_id)
        self.rows[public_id].update(name=name, email=email, phone=None, erased=True)

    def _free(self, public_id: str) -> None:
        # Where a broken directory let a second one have it, that one keeps it.
        email = self.rows[public_id]["email"]
        if self._holders.get(email) == public_id:
            del self._holders[email]

    def any(self, chance: random.Random) -> Row | None:
        return self.rows[chance.choice(self._ids)] if self._ids else None

    def active(self) -> list[Row]:
        """In list order."""
        return sorted((row for row in self.rows.values() if row["isActive"]), key=place)

    def having(self, field: str, value: str) -> set[str]:
        """The ids of all, active or not, whose field is this."""
        return {row["id"] for row in self.rows.values() if row[field] == value}

    def differences(self, rows: Iterable[Row]) -> list[str]:
        """What is wrong with the rows that are there."""
        there = {row["id"]: row for row in rows}
        lost = self.rows.keys() - there.keys()
        wrong = [f"{public_id}: acknowledged, and lost" for public_id in lost]
        wrong += [f"{public_id}: nobody made it" for public_id in there.keys() - self.rows.keys()]
        for public_id in there.keys() & self.rows.keys():
            row, own = there[public_id], self.rows[public_id]
            wrong += [
                f"{public_id}: {field} is {row[field]!r} instead of {own[field]!r}"
                for field in FIELDS
                if row[field] != own[field]
            ]
        return wrong + doubled(there.values())
