"""Another module's model, with a sealed field, a blind index and a blob, and no other line."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import connection, models

from finora.orm.tenant import BusinessField
from finora.sealing import SealError, erasing, keyring, normal_forms, registry
from finora.sealing.derived import BlindIndexField
from finora.sealing.fields import SealedBytesField, SealedCharField, SealedEmailField
from finora.sealing.models import KeyCanary
from finora.sealing.rows import SealedRow, SealedRowQuerySet, sealed_rows
from finora.sealing.tokens import SealedToken

SCANNED = b"a scan of a passport"
EMAIL = {"place": "supplier.email", "erased": "{}@gone.invalid"}
HASH = {"place": "supplier.email", "normal_form": normal_forms.email_key}
SCAN = {"place": "supplier.scan", "context": "public_id", "null": True}


def declared(name, table="sealing_supplier", **fields):
    """A model that is installed as any other is; to be taken out by `undeclared`."""
    return type(
        name,
        (SealedRow,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "sealing", "db_table": table}),
            "business": BusinessField(related_name="+"),
            "public_id": models.CharField(max_length=40),
            "objects": SealedRowQuerySet.as_manager(),
            **fields,
        },
    )


def undeclared(*names):
    for name in names:
        del apps.all_models["sealing"][name.lower()]
    apps.clear_cache()


@pytest.fixture
def supplier(business):
    """The model, and its table."""
    model = declared(
        "Supplier",
        email=SealedEmailField(max_length=254, **EMAIL),
        email_hash=BlindIndexField(of="email", **HASH),
        scan=SealedBytesField(**SCAN),
    )
    with connection.cursor() as cursor:
        blob = "bytea" if connection.vendor == "postgresql" else "blob"
        key = "serial" if connection.vendor == "postgresql" else "integer"
        cursor.execute(
            f"CREATE TABLE sealing_supplier (id {key} PRIMARY KEY, business_id bigint,"
            f" public_id varchar(40), email text, email_hash {blob}, scan {blob})"
        )
    yield model
    undeclared("Supplier")


@pytest.fixture
def acme(supplier, business):
    return supplier.objects.create(
        business_id=business.pk,
        public_id="sup_1",
        email="acme@example.com",
        scan=SCANNED,
    )


def raw(model, column):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {model._meta.db_table}")
        return cursor.fetchone()[0]


def run(*command):
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_its_values_are_sealed_and_opened(acme, supplier):
    assert b"passport" not in bytes(raw(supplier, "scan"))
    assert "acme" not in raw(supplier, "email")
    read = supplier.objects.get()
    assert (read.email, read.scan) == ("acme@example.com", SCANNED)
    with pytest.raises(TypeError, match="sealed"):
        supplier.objects.update(scan=b"plain")


def test_it_is_rotated_and_counted(acme, supplier, settings):
    old = settings.ENCRYPTION_KEYS[0]
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]
    old_id = keyring.parse_key(old).id.hex()
    with pytest.raises(CommandError, match=rf"Entry 2 \({old_id}\): 2 values, still needed"):
        run("rotate_encryption", "--check")
    said = run("rotate_encryption")
    assert "1 of 1 suppliers" in said
    assert f"Retired, can be dropped: {old_id}." in said
    settings.ENCRYPTION_KEYS = [new]
    read = supplier.objects.get()
    assert (read.email, read.scan) == ("acme@example.com", SCANNED)


def test_what_cannot_be_opened_is_named_and_the_rest_goes_on(acme, supplier, settings):
    for n in range(2, 5):
        supplier.objects.create(
            business_id=acme.business_id, public_id=f"sup_{n}", email=f"{n}@b.co", scan=b"x"
        )
    supplier.objects.filter(pk=acme.pk).update(scan=SealedToken(b"\x01" * 40))
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    with pytest.raises(CommandError, match=r"3 of 4 suppliers.*1 suppliers could not .*: sup_1\."):
        run("rotate_encryption")


def test_it_is_hashed_anew_by_its_own_normal_form(acme, supplier, settings):
    hash_of = supplier._meta.get_field("email_hash")
    old = settings.BLIND_INDEX_KEYS[0]
    settings.BLIND_INDEX_KEYS = ["another blind index key, 0123456789abcdef", old]
    assert "1 of 1 suppliers" in run("rotate_blind_index")
    assert "Retired, can be dropped" in run("rotate_blind_index")
    settings.BLIND_INDEX_KEYS = settings.BLIND_INDEX_KEYS[:1]
    [digest] = hash_of.digests(acme.business_id, "ACME@example.com")
    assert supplier.objects.get(email_hash=digest) == acme


def test_wrong_keys_are_seen_by_its_rows(acme, settings):
    KeyCanary.objects.all().delete()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert KeyCanary.objects.trouble()


def test_it_is_erased_and_says_so(acme, supplier, request):
    heard = []

    def note(**sent):
        heard.append((sent["sender"], sent["business_id"], sent["public_id"]))
        assert connection.in_atomic_block

    erasing.connect(note)
    request.addfinalizer(lambda: erasing.disconnect(note))
    acme.forget()
    row = supplier.objects.get()
    assert (row.email, row.scan) == ("sup_1@gone.invalid", None)
    [digest] = supplier._meta.get_field("email_hash").digests(
        acme.business_id, "sup_1@gone.invalid"
    )
    assert bytes(row.email_hash) == digest
    assert heard == [(supplier, acme.business_id, "sup_1")]


def test_who_cannot_forget_undoes_the_erasure(acme, supplier, request):
    def fail(**_):
        raise SealError

    erasing.connect(fail)
    request.addfinalizer(lambda: erasing.disconnect(fail))
    with pytest.raises(SealError):
        acme.forget()
    assert supplier.objects.get().email == "acme@example.com"


def test_a_dump_holds_it_sealed_and_is_taken_back(acme, supplier):
    dump = serializers.serialize("json", supplier.objects.all())
    assert "acme" not in dump
    assert "passport" not in dump
    supplier.objects.all().delete()
    for loaded in serializers.deserialize("json", dump):
        loaded.save()
    read = supplier.objects.get()
    assert (read.email, read.scan) == ("acme@example.com", SCANNED)
    assert "passport" not in str(raw(supplier, "scan"))


def test_a_renamed_model_and_a_renamed_field_open_their_values(acme, request):
    renamed = declared(
        "Vendor",
        contact=SealedEmailField(max_length=254, db_column="email", **EMAIL),
        contact_hash=BlindIndexField(of="contact", db_column="email_hash", **HASH),
        paper=SealedBytesField(db_column="scan", **SCAN),
    )
    request.addfinalizer(lambda: undeclared("Vendor"))
    row = renamed.objects.get()
    assert (row.contact, row.paper) == ("acme@example.com", SCANNED)
    [digest] = renamed._meta.get_field("contact_hash").digests(acme.business_id, "acme@example.com")
    assert renamed.objects.get(contact_hash=digest) == row


def test_another_place_does_not_open_its_values(acme, request):
    other = declared(
        "Other",
        email=SealedEmailField(place="other.email", erased=""),
        scan=SealedBytesField(place="other.scan", context="public_id", null=True),
    )
    request.addfinalizer(lambda: undeclared("Other"))
    for name in ("email", "scan"):
        with pytest.raises(SealError):
            getattr(other.objects.get(), name)


def test_two_of_one_place_do_not_start(request):
    declared(
        "One",
        email=SealedCharField(place="customer.email", null=True),
        blob=SealedBytesField(place="customer.search", context="public_id"),
        hash=BlindIndexField(of="email", place="customer.email", normal_form=str),
    )
    declared("Two", email=SealedCharField(place="No place", null=True))
    request.addfinalizer(lambda: undeclared("One", "Two"))
    found = [(error.id, error.obj.name, bool(error.hint)) for error in registry.places()]
    assert sorted(found) == [
        ("finora.E031", "blob", True),
        ("finora.E031", "email", True),
        ("finora.E031", "hash", True),
        ("finora.E032", "email", True),
    ]


def test_one_that_could_not_be_erased_does_not_start(request):
    declared("One", email=SealedCharField(place="one.email"))
    request.addfinalizer(lambda: undeclared("One"))
    assert [error.id for error in sealed_rows()] == ["finora.E033"]


def test_what_is_installed_has_no_such_trouble():
    assert list(registry.places()) == []
    assert "Supplier" not in {field.model.__name__ for field in registry.sealed}
