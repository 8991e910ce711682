from __future__ import annotations

import secrets
from dataclasses import asdict
from random import Random
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from customers.management.people import people
from customers.models import Customer
from finora import clock
from finora.management.keyed import KeyedCommand
from finora.tenants.models import ApiKey, Business
from sales.management import history

BUSINESS_ID = "biz_demo"
ACME = {
    "name": "Acme Ltd",
    "email": "finance@acme.com",
    "phone": "+2348012345678",
    "address": "15 Adeola Odeku St, Victoria Island, Lagos",
    "tin": "12345678-0001",
    "company_name": "Acme Technologies Ltd",
}
PEOPLE = 200
INVOICES = 500


class Command(KeyedCommand):
    """A demo business with customers and their books, an API key, a staff login: told this once.

    For a test environment whose database has no business yet; anywhere else it makes nothing.
    All of it is made in one transaction: a start that is cut off leaves nothing half made.
    """

    help = "Fill an empty test environment with a demo business, a key and a staff login."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.FINORA_ENVIRONMENT != "test":
            return
        if Business.objects.exists():
            self.stdout.write(
                "Keeping the data that is here. Another key: "
                f"python manage.py create_api_key {BUSINESS_ID} --name NAME"
            )
            return
        password = secrets.token_urlsafe(12)
        with transaction.atomic():
            business = Business.objects.create(public_id=BUSINESS_ID, name="Demo Stores Ltd")
            business.customers.import_packed(
                [
                    Customer(business=business, **ACME),
                    *(Customer(business=business, **asdict(person)) for person in people(PEOPLE)),
                ]
            )
            customers = list(business.customers.order_by("pk"))
            random = Random(0)  # noqa: S311 - made-up books, no secrets
            books = history.make(business, customers, random, clock.today(), INVOICES)
            books.load(business)
            _, key = ApiKey.objects.issue(business, "demo")
            get_user_model().objects.create_superuser("staff", password=password)
        self.stdout.write(
            f"""
A demo business with {PEOPLE + 1} customers and {INVOICES} invoices. Shown this once:

  export BID={BUSINESS_ID}
  export FINORA_API_KEY={key}

  Admin: http://{settings.HOST}:{settings.PORT}/admin/  login staff, password {password}
"""
        )
