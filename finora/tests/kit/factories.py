"""Small makers of what a test needs. Everything has a default that a test may name instead."""

from itertools import count
from typing import Any

from django.db import connection

from customers.models import Customer
from finora.tenants.models import ApiKey, Business

_number = count(1)


def business(**fields: Any) -> Business:
    return Business.objects.create(**{"name": f"Business {next(_number)}", **fields})


def customer(business: Business, **fields: Any) -> Customer:
    n = next(_number)
    return Customer.objects.create(
        business=business,
        **{"name": f"Customer {n}", "email": f"customer{n}@example.com", **fields},
    )


def api_key(business: Business, **fields: Any) -> tuple[ApiKey, str]:
    return ApiKey.objects.issue(business, "a test", **fields)


def stored(customer: Customer, column: str) -> Any:
    """What the database itself holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM customers_customer WHERE id = %s", [customer.pk])
        return cursor.fetchone()[0]


def store(customer: Customer, column: str, value: Any) -> None:
    """Puts a value into the table behind the model's back, as a thief or a bad restore does."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE customers_customer SET {column} = %s WHERE id = %s", [value, customer.pk]
        )
