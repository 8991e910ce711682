"""What an address may ask of a list: what is offered beside it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle, islice, product
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.auth.models import Permission, User
from django.core.checks import run_checks
from django.db import connection, models
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from finora.staff import search_terms
from finora.staff.accounts import RoleAdmin
from finora.staff.lists import ClosedListAdmin
from finora.tenants.models import Business
from finora.tests.kit import factories
from finora.tests.kit.staff import member

# The roles there are, and one to whom every list was opened by hand.
ROLES = (
    "Viewer",
    "Editor",
    "Privacy officer",
    "Administrator",
    "Key issuer",
    "superuser",
    "sees all",
)
LISTS: list[type[models.Model]] = list(admin.site._registry)
LOOKUPS = {
    "": "1",
    "__exact": "1",
    "__regex": "(((",
    "__startswith": "pbkdf2",
    "__isnull": "True",
    "__in": "1,2",
    "__gte": "0001-01-01 00:00+14:00",
    "__year": "99999",
}
ODD = (
    "",
    "0",
    "-1",
    "1",
    "yes",
    "abc",
    "9" * 30,
    "9" * 5000,
    "\0",
    "٣",
    "a.b,c;d",
    b"\xff",
    "(((",
)
# What tells who asks and their scope; and then the rows and filters of a list.
REFUSAL_BUDGET, LIST_BUDGET = 4, 10


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture(autouse=True)
def _something_in_every_list(business, other_business):
    for each in (business, other_business):
        factories.customer(each)
        factories.api_key(each)
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        more = {"failures_since_start": 9} if model is AccessAttempt else {}
        model.objects.create(username="ade", ip_address="192.0.2.1", **more)
    User.objects.create_superuser("boss", password="of the boss")


def user_of(role: str, business: Business) -> User:
    """Whose scope is the one business, but for the superuser, who reaches all."""
    if role == "superuser":
        return User.objects.create_superuser("root")
    if role != "sees all":
        return member(role, scope=(business,))
    user = member(scope=(business,))
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


def browser_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def url_of(model: type[models.Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def sees(user: User, model: type[models.Model]) -> bool:
    return user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")


def offered(model: type[models.Model]) -> set[str]:
    return {each.parameter_name for each in admin.site._registry[model].list_filter}


def paths(model: type[models.Model], relations: int = 2) -> Iterator[str]:
    """Every field, of the model and of what is up to so many relations away, there or back."""
    yield from ("pk", *(field.attname for field in model._meta.concrete_fields))
    for field in model._meta.get_fields():
        yield field.name
        if relations and field.related_model:
            for path in paths(field.related_model, relations - 1):
                yield f"{field.name}__{path}"


def shown(response: Any) -> tuple[list[int], str]:
    """The rows, and what they show; their links keep the list's address."""
    assert response.status_code == 200
    html = response.content.decode()
    table = html.partition('<table id="result_list"')[2].partition("</table>")[0]
    rows = [row.pk for row in response.context["cl"].result_list]
    return rows, re.sub(r'href="[^"]*"', "", table)


@pytest.mark.slow
@pytest.mark.once  # nothing is asked of the lists' rows
def test_no_field_within_two_relations_can_be_asked_for(business):
    """By the view itself, as there are thousands; a SuspiciousOperation of a view is a 400.

    Of the list's own rows each field by each lookup; of what is further away each as it is and by
    one lookup in turn. Of those who see a list somebody else asks each time.
    """
    users = [user_of(role, business) for role in ROLES]
    asked = 0
    for model in LISTS:
        askers = cycle([user for user in users if sees(user, model)])
        own, far = set(paths(model, relations=0)), sorted(set(paths(model)))
        in_turn = cycle(list(LOOKUPS)[1:])
        for path in far:
            for lookup in LOOKUPS if path in own else ("", next(in_turn)):
                if path + lookup in offered(model):
                    continue  # this is a filter, and no field
                request = RequestFactory().get(url_of(model), {path + lookup: LOOKUPS[lookup]})
                request.user = next(askers)
                with (
                    CaptureQueriesContext(connection) as queries,
                    pytest.raises(DisallowedModelAdminLookup),
                ):
                    admin.site._registry[model].changelist_view(request)
                assert len(queries) <= REFUSAL_BUDGET, path + lookup
                asked += 1
    assert asked > 2_000


@pytest.mark.parametrize("role", ROLES)
def test_a_refused_question_is_a_400_within_few_queries(business, role):
    user = user_of(role, business)
    browser = browser_of(user)
    for model in LISTS:
        field = min(set(paths(model, relations=0)) - offered(model))
        for question in (field, "business__name__regex", "user__password__regex"):
            with CaptureQueriesContext(connection) as queries:
                response = browser.get(url_of(model), {question: "((("})
            assert response.status_code == (400 if sees(user, model) else 403), question
            assert response["Content-Type"].startswith("text/html")
            assert len(queries) <= REFUSAL_BUDGET + 2, question  # the session and its user


def test_nobody_reads_a_password_hash_letter_by_letter(business):
    boss = member("Administrator", scope=(business,), password="of the administrator")
    way = "business__scopes__user__groups__user__"
    viewer = browser_of(member("Viewer", scope=(business,)))
    url = url_of(Customer)
    for guess in ("^pbkdf2", "^x"):
        query = {f"{way}username": boss.username, f"{way}password__regex": guess}
        assert viewer.get(url, query).status_code == 400
    assert viewer.get(url, {"business__name__regex": "((("}).status_code == 400
    assert viewer.get(url, {"business__customers__name__startswith": "C"}).status_code == 400


def askers(business: Business) -> Iterator[tuple[Client, type[models.Model]]]:
    """Each list once, asked for by who may do least of those who see it."""
    viewer, root = (user_of(role, business) for role in ("Viewer", "superuser"))
    browsers = {user: browser_of(user) for user in (viewer, root)}
    for model in LISTS:
        yield browsers[viewer if sees(viewer, model) else root], model


@pytest.mark.slow
@pytest.mark.postgres  # the stricter one: of texts and numbers
def test_a_filter_with_a_value_that_it_does_not_offer_is_harmless(business):
    for browser, model in askers(business):
        for name, value in product(sorted(offered(model)), ODD):
            with CaptureQueriesContext(connection) as queries:
                response = browser.get(url_of(model), {name: value})
            assert response.status_code == 200, (model, name, value)
            assert len(queries) <= LIST_BUDGET, (model, name, value)


@pytest.mark.slow
@pytest.mark.postgres
def test_what_django_reads_from_an_address_changes_no_row(business):
    orders = ("1", "-1", "0.-1.2", ".".join("1" * 3000), "-", "99")
    # Of what is there or not each list gets some of the odd values in turn.
    flags = {name: cycle(ODD) for name in ("all", "e", "_facets", "_popup", "_to_field")}
    for browser, model in askers(business):
        before = shown(browser.get(url_of(model)))
        for name, value in [
            *product(("p",), ODD),
            *product(("o",), (*ODD, *orders)),
            *((name, value) for name, odd in flags.items() for value in islice(odd, 3)),
            ("_popup", "1"),
            ("_to_field", "id"),
        ]:
            with CaptureQueriesContext(connection) as queries:
                response = browser.get(url_of(model), {name: value})
            assert len(queries) <= LIST_BUDGET, (model, name, value)
            if response.status_code == 400:
                continue
            rows, table = shown(response)
            if name == "p":  # which may be a place in the list
                assert set(rows) <= set(before[0]), (model, value)
                continue
            assert rows == before[0], (model, name, value)
            if not name.startswith("_"):  # a popup has no boxes to tick
                assert table == before[1], (model, name, value)


def test_a_page_that_there_is_no_longer_is_the_first_one(staff):
    for _ in range(60):
        factories.business()
    first = shown(staff.get(url_of(Business)))
    assert shown(staff.get(url_of(Business), {"p": "2"})) != first
    for page in ("9", "0", "-1", "x"):
        assert shown(staff.get(url_of(Business), {"p": page})) == first


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_every_list_searches_by_a_sealed_term(staff, model):
    response = staff.post(url_of(model), {"q": "Ade " * 60})
    assert response.status_code == 302
    assert "Ade" not in response["Location"]
    assert staff.get(response["Location"]).status_code == 200
    assert "no longer valid" in staff.get(url_of(model), {"q": "ade"}, follow=True).text


def test_accounts_are_filtered_by_role_and_kind(staff):
    viewer, gone = member("Viewer"), member("Editor", is_active=False)
    role = viewer.groups.get().pk

    def found(**query: Any) -> set[str]:
        response = staff.get(url_of(User), query)
        return {user.username for user in response.context["cl"].result_list}

    assert found(role=role) == {viewer.username}
    assert found(role=role, account="inactive") == set()
    assert found(account="inactive") == {gone.username}
    assert found(account="superusers") == {"boss", "staff"}
    assert found(account="active") == {"boss", "staff", viewer.username}
    assert found(role="0") == set()


def test_businesses_are_filtered_by_suspension(staff, business, other_business):
    Business.objects.filter(pk=business.pk).update(is_suspended=True)
    for status, rows in (("suspended", {business}), ("active", {other_business})):
        response = staff.get(url_of(Business), {"status": status})
        assert set(response.context["cl"].result_list) == rows


def test_attempts_to_log_in_are_filtered_by_time(staff):
    response = staff.get(url_of(AccessLog), {"attempted": "1"})
    assert "ade" in {row.username for row in response.context["cl"].result_list}
    AccessLog.objects.update(attempt_time="2020-01-01T00:00Z")
    assert not staff.get(url_of(AccessLog), {"attempted": "365"}).context["cl"].result_list


def test_the_business_of_a_new_row_is_not_read_from_an_address_that_no_id_can_be(staff):
    for text in ("biz_\0", "biz_ü", "biz_" + "x" * 5000):
        filters = {"_changelist_filters": f"business={text}"}
        assert staff.get(f"{url_of(Customer)}add/", filters).status_code == 200
        search = {
            "business": text,
            "q": search_terms.seal("ade", User.objects.get(username="staff").pk),
        }
        assert staff.get(url_of(Customer), search).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_django_s_views_that_complete_and_redirect_are_gone(business, role):
    browser = browser_of(user_of(role, business))
    source = {"app_label": "customers", "model_name": "staffscope", "field_name": "user"}
    assert browser.get("/admin/autocomplete/", source | {"term": "boss"}).status_code == 404
    assert browser.get("/admin/r/1/1/").status_code == 404


# What would open a list again refuses to be set.


def found_checks() -> set[str]:
    return {message.id for message in run_checks() if not message.is_silenced()}


def test_a_list_that_is_not_closed_stops_the_start(monkeypatch):
    monkeypatch.setitem(admin.site._registry, Business, admin.ModelAdmin(Business, admin.site))
    assert found_checks() == {"finora.E014"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("list_filter", ("is_suspended",)),
        ("list_filter", (("is_suspended", admin.BooleanFieldListFilter),)),
        ("date_hierarchy", "created_at"),
    ],
)
def test_what_opens_a_list_refuses_to_be_set(monkeypatch, name, value):
    class Open(ClosedListAdmin):
        pass

    setattr(Open, name, value)
    monkeypatch.setitem(admin.site._registry, Business, Open(Business, admin.site))
    assert found_checks() == {"finora.E013"}


def test_a_box_that_completes_refuses_to_be_set(monkeypatch):
    monkeypatch.setattr(RoleAdmin, "autocomplete_fields", ("permissions",))
    assert "finora.E013" in found_checks()
