"""The customer queries of the request path, compiled once (see finora/orm/prepared.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models

from finora.orm.prepared import Prepared, Slot

if TYPE_CHECKING:
    from customers.querysets import CustomerQuerySet


def _shown() -> CustomerQuerySet:
    # The models import the managers, and they this module.
    customers: CustomerQuerySet = apps.get_model("customers", "Customer").objects.all()
    business_id = Slot("business_id", models.BigIntegerField())
    return customers.filter(business_id=business_id).with_columns_shown()


def _one() -> CustomerQuerySet:
    return _shown().filter(public_id=Slot("public_id", models.CharField()))


def _active_among(size: int) -> CustomerQuerySet:
    slots = [Slot(f"id{n}", models.CharField()) for n in range(size)]
    return _shown().active().filter(public_id__in=slots)


def _active_page(size: int) -> CustomerQuerySet:
    return _shown().active().in_list_order()[:size]


def _active_page_behind(size: int) -> CustomerQuerySet:
    name_key = Slot("name_key", models.BinaryField())
    public_id = Slot("public_id", models.CharField())
    return _shown().active().in_list_order().after(name_key, public_id)[:size]


one = Prepared(_one, planned_once=True)
among = Prepared(_active_among, (10,), (50,))
page = Prepared(_active_page, (51,), planned_once=True)
page_behind = Prepared(_active_page_behind, (51,), planned_once=True)
