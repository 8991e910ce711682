"""The customers' table: what is always true of a row, and how rows are found.

A new customer is written into ten of the thirteen indexes (primary key and constraints
counted); the other three are of rows that are inactive or have a TIN.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from customers.querysets import E_INVOICE_READY, EMAIL_UNIQUE, ERASED_NAME
from finora import text

LIST_ORDER = ("name_key", "public_id")

CONSTRAINTS: list[models.BaseConstraint] = [
    # find_or_create and every email conflict lean on it; an inactive row frees its email.
    models.UniqueConstraint(
        fields=["business", "email_hash"],
        condition=Q(is_active=True),
        name=EMAIL_UNIQUE,
        violation_error_code="email_in_use",
        violation_error_message="An active customer of this business has this email.",
    ),
    # The API names customers by it, always together with the business.
    models.UniqueConstraint(fields=["business", "public_id"], name="customer_public_id_unique"),
    # What points at a customer does so within its business: see finora/orm/references.py.
    models.UniqueConstraint(fields=["business", "id"], name="customer_key_unique"),
    # Search results and invoices show the name; a blank one cannot be found.
    models.CheckConstraint(condition=~Q(name=""), name="customer_name_not_blank"),
    # Restore and the staff's history read deleted_at; it must say what is_active says.
    models.CheckConstraint(
        condition=Q(is_active=True, deleted_at=None) | Q(is_active=False, deleted_at__isnull=False),
        name="customer_deleted_at_iff_inactive",
    ),
    # Nobody brings a person back, nor writes on the row what is not to be known any more. Whoever
    # writes search segments of rows read before asks who was erased since, by the name.
    models.CheckConstraint(
        condition=Q(erased_at=None)
        | Q(
            name=ERASED_NAME,
            name_key=text.name_key(ERASED_NAME),
            is_active=False,
            company_name__isnull=True,
            phone__isnull=True,
            phone_hash__isnull=True,
            tin__isnull=True,
            tin_hash__isnull=True,
            address__isnull=True,
        ),
        name="customer_erased_is_empty",
    ),
]

INDEXES = [
    # GET /v1/customers and its cursor, one index for each `status`. Of indexes that serve a
    # query equally SQLite takes the one made last: so the narrower ones stand behind.
    # This one also says of each whether an e-invoice can be made out to it, so that the staff's
    # list of who is ready, or is not, reads no others however few those are.
    models.Index(*("business", *LIST_ORDER, E_INVOICE_READY), name="customer_list_all"),
    models.Index(
        fields=["business", *LIST_ORDER],
        condition=Q(is_active=True),
        name="customer_list_active",
    ),
    models.Index(
        fields=["business", *LIST_ORDER],
        condition=Q(is_active=False),
        name="customer_list_inactive",
    ),
    # The filters by blind index; `email` among inactive rows too. In list order, or a
    # planner that knows no better walks all of a list to find the one row that it holds.
    models.Index(fields=["business", "email_hash", *LIST_ORDER], name="customer_email_hash"),
    models.Index(
        fields=["business", "phone_hash", *LIST_ORDER],
        condition=Q(phone_hash__isnull=False),
        name="customer_phone_hash",
    ),
    models.Index(
        fields=["business", "tin_hash", *LIST_ORDER],
        condition=Q(tin_hash__isnull=False),
        name="customer_tin_hash",
    ),
    # Delta sync (updatedSince) and the created filters.
    models.Index(fields=["business", "updated_at"], name="customer_updated"),
    models.Index(fields=["business", "created_at"], name="customer_created"),
    # The staff's created filter among the inactive, so that few among a million are not
    # looked for in all of them.
    models.Index(
        fields=["business", "created_at", "id"],
        condition=Q(is_active=False),
        name="customer_created_inactive",
    ),
]
