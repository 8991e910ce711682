"""Who has no scope: of no business does anything show, on no page that is registered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import models
from django.test import Client

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.sealing.fields import SealedMixin
from finora.staff.base import DirectoryAdmin
from finora.tenants.models import ApiKey, Business, StaffScope
from finora.tests.kit import factories

ADMINS = list(admin.site._registry.items())
OF_BUSINESSES = [model for model, page in ADMINS if isinstance(page, DirectoryAdmin)]


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture
def told(staff) -> list[str]:
    """A business with all that pages tell of, and the words that would tell of it."""
    business = factories.business(name="Kola Stores Ltd")
    customer = factories.customer(
        business, name="Ngozi Bello", company_name="Bello Foods", phone="0803 555 0199"
    )
    customer.delete()
    customer.restore()
    key, _ = factories.api_key(business)
    ApiKey.objects.filter(pk=key.pk).update(name="Till of Ikeja", last_four="7x9q")
    staff.post(f"/admin/customers/customer/{customer.pk}/reveal/", {"field": "email"})
    names = [business.name, customer.name, customer.company_name, "Till of Ikeja", "7x9q", "0199"]
    return [*names, business.public_id, customer.public_id, key.public_id, customer.email]


@pytest.fixture(params=["no row", "an empty scope"])
def user(request, db) -> User:
    """Every role and every permission; but no scope."""
    user = User.objects.create_user("helper", is_staff=True, password="of the helper")
    user.groups.set(Group.objects.all())
    user.user_permissions.set(Permission.objects.all())
    if request.param == "an empty scope":
        StaffScope.objects.create(user=user)
    return user


@pytest.fixture
def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url_of(model: type[models.Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def addresses(model: type[models.Model]) -> Iterator[str]:
    """Every page of a model, of each of its rows."""
    for pattern in admin.site._registry[model].get_urls():
        route = str(pattern.pattern)
        if "<" not in route:
            yield url_of(model) + route
            continue
        for pk in model._default_manager.values_list("pk", flat=True):
            yield url_of(model) + route.replace("<path:object_id>", str(pk)).replace(
                "<int:pk>", str(pk)
            )


def kept() -> dict[str, list[dict[str, object]]]:
    """The rows as they are; sealed fields aside, as a change of one changes the times too."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values(*plain(model)))
        for model in (Business, ApiKey, Customer)
    }


def plain(model: type[models.Model]) -> list[str]:
    fields = model._meta.concrete_fields
    return [field.attname for field in fields if not isinstance(field, SealedMixin)]


def silent(response, told: list[str], where: str) -> None:
    assert response.status_code in (200, 302, 403, 404, 405), where
    body = b"".join(response) if response.streaming else response.content
    for words in told:
        assert words not in body.decode(), where
        assert words not in response.headers.get("Location", ""), where


def test_every_model_of_a_businesss_rows_is_walked():
    assert {Business, ApiKey, Customer, AuditEvent} <= set(OF_BUSINESSES)
    others = {model._meta.app_label for model, _ in ADMINS} - {
        model._meta.app_label for model in OF_BUSINESSES
    }
    # A task names rows and shows none. A module's new page is a DirectoryAdmin.
    assert others == {"auth", "axes", "tasks"}


def test_no_page_tells_of_a_business(client_of, told):
    walked = ["/admin/"]
    for model, _ in ADMINS:
        walked += addresses(model)
    assert len(walked) > 60
    for address in walked:
        silent(client_of.get(address), told, address)


def test_no_post_to_a_page_tells_or_changes(client_of, told):
    before = kept()
    customer, business = Customer.objects.get(), Business.objects.get()
    forms = (
        {"field": "email"},
        {"typed": customer.public_id},
        {"post": "yes"},
        {"name": "Changed", "business": business.pk, "email": "x@y.example", "rate_limits": ""},
    )
    for model in OF_BUSINESSES:
        for address in addresses(model):
            for form in forms:
                response = client_of.post(address, form)
                # A form that is refused shows what was typed, which is nobody's.
                typed = set(map(str, form.values()))
                silent(response, [words for words in told if words not in typed], address)
    made = [row for row in kept()["Business"] if row["name"] != "Changed"]
    assert kept() | {"Business": made} == before


def test_no_action_search_or_filter_tells_or_changes(client_of, told):
    before = kept()
    business = Business.objects.get()
    for model in OF_BUSINESSES:
        url = url_of(model)
        pks = list(model._default_manager.values_list("pk", flat=True))
        for action in ("delete_selected", *admin.site._registry[model].actions):
            form = {"action": action, "_selected_action": pks, "index": "0", "confirmed": "yes"}
            silent(client_of.post(url, form), told, action)
        for term in told:
            found = client_of.post(url, {"q": term}, follow=True)
            assert not list(found.context["cl"].result_list), (url, term)
        filtered = client_of.get(f"{url}?business={business.public_id}")
        if filtered.status_code == 200:
            assert not list(filtered.context["cl"].result_list)
            assert business.name not in filtered.text
    assert kept() == before


def test_a_superuser_sees_all_of_it(staff, told):
    """Else the words would be looked for in vain."""
    seen = staff.get("/admin/").text + "".join(
        staff.get(address).text
        for model in OF_BUSINESSES
        for address in (url_of(model), f"{url_of(model)}?status=all")
        if staff.get(address).status_code == 200
    )
    unseen = [words for words in told if words not in seen]
    assert unseen == [Customer.objects.get().email]  # only ever revealed
