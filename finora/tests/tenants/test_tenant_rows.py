"""Each model that has a business is a tenant's row, and holds it where another could come in."""

import pytest
from django.apps import apps
from django.db import models

from finora.orm.keys import SequenceField
from finora.orm.references import TenantForeignKey, TenantReference
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
from finora.sealing import registry
from finora.tenants.models import Business

# They have a business, and stand on one machine: who calls is looked for before it is known whose.
NO_TENANTS_ROWS = {"tenants.ApiKey", "tenants.StaffScope_businesses"}

OURS = ("finora", "customers", "sales")
EVERY = [m for m in apps.get_models(include_auto_created=True) if m.__module__.startswith(OURS)]
TENANTS = [model for model in EVERY if issubclass(model, TenantRow)]
each_tenants_row = pytest.mark.parametrize("model", TENANTS, ids=lambda m: m._meta.label)


def columns(model, kind):
    return [field for field in model._meta.concrete_fields if isinstance(field, kind)]


def test_whatever_has_a_business_is_a_tenants_row_or_named_here():
    of_business = {
        model._meta.label
        for model in EVERY
        for field in model._meta.concrete_fields
        if field.related_model is Business or field.attname == "business_id"
    }
    assert of_business - NO_TENANTS_ROWS == {model._meta.label for model in TENANTS}
    assert of_business >= NO_TENANTS_ROWS
    assert {"customers.Customer", "audit.AuditEvent"} <= of_business


def test_whatever_is_sealed_or_hashed_is_a_tenants_row():
    """Keys are derived for each business."""
    for declared in (registry.sealed, registry.blind_indexes, registry.blind_key_ids):
        assert set(declared.models()) <= set(TENANTS)


@each_tenants_row
def test_it_has_its_business_and_its_managers_keep_the_rules(model):
    [business] = columns(model, BusinessField)
    assert business.name == "business"
    assert business.related_model is Business
    assert not business.null
    for manager in [*model._meta.managers, model._default_manager]:
        assert isinstance(manager.get_queryset(), TenantQuerySet), manager
    # Its rows are found by it whatever their state.
    assert not model._default_manager.get_queryset().query.where


@each_tenants_row
def test_its_unique_constraints_hold_the_business(model):
    assert not [f.name for f in model._meta.concrete_fields if f.unique and not f.primary_key]
    assert not model._meta.unique_together
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            assert "business" in constraint.fields, constraint.name


@each_tenants_row
def test_what_it_points_at_in_its_business_is_held_by_both_columns(model):
    held = {c.field: c for c in model._meta.constraints if isinstance(c, TenantReference)}
    inside = {field.name for field in columns(model, TenantForeignKey)}
    assert held.keys() == inside
    for field in columns(model, models.ForeignKey):
        target = field.related_model
        assert (field.name in inside) == issubclass(target, TenantRow), field
        if field.name in inside:
            assert any(
                isinstance(c, models.UniqueConstraint)
                and set(c.fields) == {"business", target._meta.pk.name}
                and not c.condition
                for c in target._meta.constraints
            ), f"{target} has no unique constraint of business and key"
        else:
            assert target is Business, f"{field} would join a table on another machine"


@pytest.mark.parametrize("model", EVERY, ids=lambda m: m._meta.label)
def test_its_integer_keys_come_from_a_sequence(model):
    assert isinstance(model._meta.pk, SequenceField) or not isinstance(
        model._meta.pk, models.AutoField | models.IntegerField
    )


@pytest.mark.postgres
@pytest.mark.parametrize("model", EVERY, ids=lambda m: m._meta.label)
def test_no_column_is_an_identity(model, db):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attidentity <> ''",
            [f'"{model._meta.db_table}"'],
        )
        assert cursor.fetchall() == []
