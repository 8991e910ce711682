"""The data set: three businesses of one seed, a key for each, and the reference's copy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256

from django.core.management import call_command

from bench.servers import ROOT
from customers.models import Customer
from finora.tenants.models import ApiKey, Business

_COPIED = ("name", "email", "phone", "address", "tin", "company_name", "account_balance_kobo")


@dataclass(frozen=True)
class Directory:
    """A business with so many customers, and a key that opens it."""

    business: Business
    count: int
    key: str

    @property
    def path(self) -> str:
        return f"/v1/customers?businessId={self.business.public_id}"

    @property
    def search_path(self) -> str:
        return f"/v1/customers/search?businessId={self.business.public_id}&q="


def directory(count: int) -> Directory:
    """Made and seeded at the first call; on kept data it goes on where it stopped."""
    business, _ = Business.objects.get_or_create(
        public_id=f"biz_bench_{count}", defaults={"name": f"{count:,} customers"}
    )
    if Customer.objects.in_business(business.pk).count() < count:
        call_command("seed_customers", business.public_id, count=count, stdout=sys.stderr)
    _, key = ApiKey.objects.issue(business, "bench")
    return Directory(business, count, key)


def copy_to_reference(source: Directory, env: dict[str, str]) -> None:
    """The same customers, keys and values for the reference app, sealed its own way."""
    loader = subprocess.Popen(
        [sys.executable, "-m", "bench.reference.load"],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        text=True,
    )
    assert loader.stdin is not None
    with loader.stdin as out:
        digest = sha256(source.key.encode()).hexdigest()
        key = {"digest": digest, "business_id": source.business.public_id}
        out.write(json.dumps(key) + os.linesep)
        rows = Customer.objects.in_business(source.business.pk).active().order_by("id")
        for customer in rows.iterator(chunk_size=2000):
            row = {name: getattr(customer, name) for name in _COPIED}
            row |= {"public_id": customer.public_id, "created_at": customer.created_at.isoformat()}
            out.write(json.dumps(row) + os.linesep)
    if loader.wait():
        raise RuntimeError("the reference's tables could not be filled")
