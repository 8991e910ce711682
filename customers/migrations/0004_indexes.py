"""Indexes for what a million customers showed: see the comments beside them in the model."""

from itertools import product

from django.db import migrations, models
from django.db.models import Q

LIST_ORDER = ["name_key", "public_id"]
MADE_AGAIN = {
    # SQLite takes the one made last of those that serve equally: behind customer_list_all, then.
    "customer_list_active": ([], Q(is_active=True)),
    "customer_list_inactive": ([], Q(is_active=False)),
    "customer_email_hash": (["email_hash"], None),
    "customer_phone_hash": (["phone_hash"], Q(phone_hash__isnull=False)),
    "customer_tin_hash": (["tin_hash"], Q(tin_hash__isnull=False)),
}
STAFF_ORDERS = {"by_name": LIST_ORDER, "newest": ["created_at", "id"]}


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_erase")]

    operations = [
        *(migrations.RemoveIndex("customer", name) for name in MADE_AGAIN),
        *(
            migrations.AddIndex(
                "customer",
                models.Index(
                    fields=["business", *fields, *LIST_ORDER], condition=condition, name=name
                ),
            )
            for name, (fields, condition) in MADE_AGAIN.items()
        ),
        *(
            migrations.AddIndex(
                "customer",
                models.Index(
                    fields=["business", *fields],
                    condition=Q(
                        is_active=active, phone_hash__isnull=not phone, tin_hash__isnull=not tin
                    ),
                    name=f"customer_{order}_{active:d}{phone:d}{tin:d}",
                ),
            )
            for order, fields in STAFF_ORDERS.items()
            for active, phone, tin in product((True, False), repeat=3)
        ),
    ]
