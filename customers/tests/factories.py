"""Small makers of what a test needs. Everything has a default that a test may name instead."""

from itertools import count
from typing import Any

from customers.models import ApiKey, Business, Customer

_number = count(1)


def business(**fields: Any) -> Business:
    return Business.objects.create(**{"name": f"Business {next(_number)}", **fields})


def customer(business: Business, **fields: Any) -> Customer:
    n = next(_number)
    return Customer.objects.create(
        business=business, **{"name": f"Customer {n}", "email": f"customer{n}@example.com", **fields}
    )


def api_key(business: Business, **fields: Any) -> tuple[ApiKey, str]:
    return ApiKey.objects.issue(business, "a test", **fields)
