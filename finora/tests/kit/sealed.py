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


def blind_hash(field, business_id, value):
    """The hash of an email, phone or TIN of a customer of this business, or None."""
    return Customer._meta.get_field(f"{field}_hash").derive(
        value, Customer(business_id=business_id)
    )


def tokens(customer):
    return {field: factories.stored(customer, field) for field in SEALED}
