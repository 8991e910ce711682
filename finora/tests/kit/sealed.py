"""A customer with all four sealed fields, and what the table holds of it."""

from customers.models import Customer
from finora.tests.kit import factories

SEALED = ("email", "phone", "address", "tin")
VALUES = {
    "email": "ada@example.com",
    "phone": "0803 123 4567",
    "address": "1 Marina\nLagos",
    "tin": "12345678-0001",
}


def loaded(customer):
    """The row as a fresh instance, nothing opened."""
    return Customer.objects.get(pk=customer.pk)


def tokens(customer):
    return {field: factories.stored(customer, field) for field in SEALED}
