"""Every column of every model is sealed, or a blind index, or says why it may lie there plain.

What is sealed or hashed the registry knows. Another field fails here until it is declared: a review
of one line.
"""

import pytest
from django.apps import apps

from finora.sealing import registry

ID = "an id that means nothing outside"
TENANT = "which business a row belongs to"
TIME = "when a row was made or changed"
DATE = "a day that lists sort by, and that overdue is reckoned from"
AMOUNT = "an amount: the database holds sums against each other, and adds them up"
STATE = "a state that every list and lookup filters by"

CLASSES = {
    "customers.Customer": {
        "id": ID,
        "business": TENANT,
        "public_id": ID,
        "name": "shown and sorted in every list; not among the fields that the reference encrypts",
        "name_key": "the name again, folded: the database sorts by it",
        "company_name": "a company's trade name is public",
        "account_balance_kobo": "an amount: invoices and receipts sum it up in the database",
        "is_active": STATE,
        "deleted_at": TIME,
        "erased_at": TIME,
        "created_at": TIME,
        "updated_at": TIME,
        "search_mark": "drawn: which line of the search segments is the row's present one",
    },
    "customers.Unpacked": {
        "id": ID,
        "business": TENANT,
        "public_id": ID,
        "renews": "whether the customer is new to search",
    },
    "customers.SearchSegment": {
        "id": ID,
        "business": TENANT,
        "size": "shows in the length of the sealed bytes anyway",
        "looked_at": TIME,
        "swept": "how many of its lines upkeep has read",
    },
    "transfer.Import": {
        "id": ID,
        "business": TENANT,
        "public_id": ID,
        "state": STATE,
        "actor_kind": STATE,
        "actor_id": "a key's id or a staff member's account, never a customer",
        "request_id": ID,
        "format": "the name of a tool",
        "on_duplicate": "what was asked for, of a list",
        "missing_email": "what was asked for, of a list",
        "created_at": TIME,
        "started_at": TIME,
        "finished_at": TIME,
        "size": "shows in the length of the sealed chunks anyway",
        "arrived": "shows in the length of the sealed chunks anyway",
        "chunks": "a count",
        "read": "a count",
        "rows": "a count",
        "created": "a count",
        "updated": "a count",
        "skipped": "a count",
        "rejected": "a count",
        "in_file": "a count",
        "in_directory": "a count",
        "without_email": "a count",
        "cells_left": "a count",
    },
    "transfer.ImportChunk": {"id": ID, "business": TENANT, "of": ID, "number": "a count"},
    "transfer.ImportBatch": {
        "id": ID,
        "business": TENANT,
        "of": ID,
        "number": "a count",
        "made": "integer ids of customers",
        "gone": "a count",
        "stayed": "integer ids of customers",
    },
    "sales.Invoice": {
        "id": ID,
        "business": TENANT,
        "public_id": ID,
        "number": "counted; it names nobody",
        "customer": ID,
        "invoice_date": DATE,
        "due_date": DATE,
        "quantities_and_prices": AMOUNT,
        "subtotal_kobo": AMOUNT,
        "vat_rate": AMOUNT,
        "vat_kobo": AMOUNT,
        "total_kobo": AMOUNT,
        "paid_kobo": AMOUNT,
        "status": STATE,
        "created_at": TIME,
    },
    "sales.Receipt": {
        "id": ID,
        "business": TENANT,
        "public_id": ID,
        "number": "counted; it names nobody",
        "customer": ID,
        "date": DATE,
        "amount_kobo": AMOUNT,
        "allocated_kobo": AMOUNT,
        "method": "one of a few words",
        "voided_at": TIME,
        "created_at": TIME,
    },
    "sales.Allocation": {
        "id": ID,
        "business": TENANT,
        "receipt": ID,
        "invoice": ID,
        "amount_kobo": AMOUNT,
    },
    "sales.NumberSeries": {
        "id": ID,
        "business": TENANT,
        "kind": STATE,
        "year": "which year's numbers it counts",
        "last": "a count",
    },
    "tenants.Business": {
        "id": ID,
        "public_id": ID,
        "name": "our own customer's trade name; staff find it by it",
        "is_suspended": STATE,
        "created_at": TIME,
    },
    "tenants.ApiKey": {
        "id": ID,
        "business": TENANT,
        "public_id": ID,
        "name": "what staff call the key: where it is used",
        "digest": "SHA-256 of 192 random bits: nothing to guess",
        "prefix": "12 characters, so that a person recognises the key",
        "last_four": "4 characters, so that a person recognises the key",
        "environment": STATE,
        "rate_limits": "a setting of staff's",
        "created_at": TIME,
        "expires_at": TIME,
        "revoked_at": TIME,
        "last_used_at": TIME,
        "total_calls": "a count",
        "month": "the month that the next one counts",
        "month_calls": "a count",
    },
    "tenants.StaffScope": {
        "id": ID,
        "user": "a member of staff",
        "all_businesses": "a setting of a superuser's",
        "businesses": "the businesses that this one reaches",
    },
    "tenants.StaffScope_businesses": {
        "id": ID,
        "staffscope": "the scope of a member of staff",
        "business": TENANT,
    },
    "staff.StaffSession": {
        "session_key": "Django's: who holds it is logged in, so no page and no log shows it",
        "session_data": "Django's, signed: an account and times, no customer's value",
        "expire_date": TIME,
        "user": "a member of staff",
        "began_at": TIME,
    },
    "audit.AuditEvent": {
        "id": ID,
        "business": TENANT,
        "at": TIME,
        "actor_kind": STATE,
        "actor_id": "a key's id or a staff member's account, never a customer",
        "request_id": ID,
        "action": STATE,
        "subject": ID,
        "fields": "names of fields, never a value",
        "count": "a count",
    },
    "sealing.KeyCanary": {
        "id": ID,
        "setting": STATE,
        "key_id": "four bytes of a hash of 32 random ones: names a key, and tells nothing of it",
        "number": "a count",
        "proof": "nothing, sealed or hashed with the key",
        "checked_at": TIME,
    },
    "audit.Refusal": {
        "id": ID,
        "business": TENANT,
        "actor_kind": STATE,
        "actor_id": "a key's id or a staff member's account, never a customer",
        "action": STATE,
        "subject": ID,
        "minute": TIME,
        "count": "a count",
    },
    "tasks.QueuedTask": {
        "id": ID,
        "status": STATE,
        "enqueued_at": TIME,
        "started_at": TIME,
        "finished_at": TIME,
        "args_kwargs": "public ids of ours: the backend refuses anything else",
        "priority": STATE,
        "task_path": "the name of a function of ours",
        "worker_ids": "random names of processes",
        "queue_name": STATE,
        "backend_name": STATE,
        "run_after": TIME,
        "return_value": "nothing: the worker keeps no answer",
        "exception_class_path": "the name of a class",
        "traceback": "files and lines, without the message: finora/failures.py",
    },
    "api.StoredAnswer": {
        "id": ID,
        "business": TENANT,
        "key_hash": "a keyed hash of what the caller chose; never looked up as a text",
        "body_hash": "a keyed hash of the body, under the business's key",
        "index_key": "names the key of the hashes, and tells nothing of it",
        "status": "an HTTP status",
        "created_at": TIME,
    },
}


FIELDS = [
    pytest.param(model, field, id=f"{model.__name__}.{field.name}")
    for app in apps.get_app_configs()
    if "site-packages" not in app.path
    for model in app.get_models(include_auto_created=True)
    for field in model._meta.get_fields()
    if field.concrete
]


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_each_field_is_sealed_or_says_why_not(model, field):
    kept = [*registry.sealed, *registry.blind_indexes]
    plain = CLASSES.get(model._meta.label, {}).get(field.name)
    assert (field in kept) is not bool(plain), f"{field}: sealed, or plain and why?"


def test_nothing_is_declared_that_is_not_there():
    there = {(m._meta.label, f.name) for m, f in (p.values for p in FIELDS)}
    declared = {(label, name) for label, names in CLASSES.items() for name in names}
    assert declared <= there


def test_the_references_personal_fields_are_sealed():
    model = apps.get_model("customers.Customer")
    assert {f.name for f in registry.sealed.of(model)} == {"email", "phone", "tin", "address"}


def test_a_blind_index_is_of_a_sealed_field():
    for field in registry.blind_indexes:
        assert field.model._meta.get_field(field.of) in list(registry.sealed)
