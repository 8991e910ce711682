"""Who may do what, action by action and role by role; and in which scope."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.db import connection
from django.test import Client

from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.tenants.models import ApiKey, Business, StaffScope
from finora.tenants.scope import scope_of
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, act, form_of, listed, page, search
from finora.tests.kit.staff import browser, member

KEYS, BUSINESSES = "/admin/tenants/apikey/", "/admin/tenants/business/"
AUDIT = "/admin/audit/auditevent/"
LOW = "5/minute,100/hour,1000/day,2 concurrent"
Case = Callable[[Client, Customer], bool]


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, name="Ada Obi", phone="0803 123 5678")


# Each action is tried for real, and judged by what is there afterwards.


def lists(client, ada):
    response = client.get(LIST)
    return response.status_code == 200 and ada.name in response.content.decode()


def opens(client, ada):
    return client.get(page(ada)).status_code == 200


def searches(client, ada):
    response = search(client, "ada")
    return response.status_code == 200 and ada.name in response.content.decode()


def creates(client, ada):
    data = {"business": ada.business_id, "name": "New", "email": "new@x.com"}
    client.post(f"{LIST}add/", data)
    return Customer.objects.filter(name="New").exists()


def edits(client, ada):
    superuser = Client()
    superuser.force_login(User.objects.create_superuser("who fills in the form"))
    client.post(page(ada), form_of(superuser, ada) | {"name": "Edited"})
    return Customer.objects.get(pk=ada.pk).name == "Edited"


def deactivates(client, ada):
    client.post(f"{LIST}{ada.pk}/delete/", {"post": "yes"})
    return not Customer.objects.get(pk=ada.pk).is_active


def deactivates_many(client, ada):
    act(client, "deactivate", ada, confirmed="yes")
    return not Customer.objects.get(pk=ada.pk).is_active


def restores(client, ada):
    ada.delete()
    act(client, "restore", ada, query="status=all", confirmed="yes")
    return Customer.objects.get(pk=ada.pk).is_active


def reveals(client, ada):
    response = client.post(f"{LIST}{ada.pk}/reveal/", {"field": "email"})
    return response.status_code == 200 and ada.email in response.content.decode()


def exports(client, ada):
    response = act(client, "export", ada, confirmed="yes")
    return ada.email.encode() in b"".join(response)


def erases(client, ada):
    client.post(f"{LIST}{ada.pk}/erase/", {"typed": ada.public_id})
    return Customer.objects.get(pk=ada.pk).erased_at is not None


def issues_a_key(client, ada):
    client.post(f"{KEYS}add/", {"business": ada.business_id, "name": "Shop"})
    return ApiKey.objects.exists()


def revokes_a_key(client, ada):
    key, _ = factories.api_key(ada.business)
    data = {"action": "revoke", "_selected_action": [key.pk], "index": "0", "confirmed": "yes"}
    client.post(KEYS, data)
    return ApiKey.objects.get(pk=key.pk).is_revoked


def limits_a_key(client, ada):
    key, _ = factories.api_key(ada.business)
    client.post(f"{KEYS}{key.pk}/change/", {"name": key.name, "rate_limits": LOW})
    return ApiKey.objects.get(pk=key.pk).rate_limits == LOW


def lifts_limits(client, ada):
    key, _ = factories.api_key(ada.business, rate_limits=LOW)
    client.post(f"{KEYS}{key.pk}/change/", {"name": key.name, "rate_limits": "off"})
    return ApiKey.objects.get(pk=key.pk).rate_limits == "off"


def sees_keys(client, ada):
    key, _ = factories.api_key(ada.business)
    return key.last_four in client.get(KEYS).content.decode()


def suspends(client, ada):
    data = {"action": "suspend", "_selected_action": [ada.business_id], "index": "0"}
    client.post(BUSINESSES, data | {"confirmed": "yes"})
    return Business.objects.get(pk=ada.business_id).is_suspended


def adds_a_business(client, ada):
    client.post(f"{BUSINESSES}add/", {"name": "New Ltd"})
    return Business.objects.filter(name="New Ltd").exists()


def reads_the_audit(client, ada):
    response = client.get(AUDIT)
    return response.status_code == 200 and ada.public_id in response.content.decode()


def edits_accounts(client, ada):
    user = member()
    client.post(f"/admin/auth/user/{user.pk}/change/", {"username": user.username})
    return client.get(f"/admin/auth/user/{user.pk}/change/").status_code == 200


SEES = [lists, opens, searches]
CHANGES = [creates, edits, deactivates, deactivates_many, restores]
GUARDS = [reveals, exports, erases]
RUNS = [revokes_a_key, limits_a_key, sees_keys, suspends, adds_a_business]
ROOT = [lifts_limits, edits_accounts]
ACTIONS: list[Case] = [*SEES, *CHANGES, *GUARDS, *RUNS, issues_a_key, reads_the_audit, *ROOT]
MAY: dict[str, list[Case]] = {
    "anonymous": [],
    "no role": [],
    "Viewer": SEES,
    "Editor": [*SEES, *CHANGES],
    "Privacy officer": [*SEES, *GUARDS, reads_the_audit, sees_keys],
    "Administrator": [*SEES, *CHANGES, *RUNS, reads_the_audit],
    "Key issuer": [issues_a_key, sees_keys],
    "superuser": ACTIONS,
}


def client_of(role: str) -> Client:
    client = Client()
    if role == "superuser":
        client.force_login(User.objects.create_superuser("root"))
    elif role != "anonymous":
        client.force_login(member(*([] if role == "no role" else [role])))
    return client


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
@pytest.mark.parametrize("role", MAY)
def test_each_role_does_what_it_may_and_nothing_else(ada, role, action):
    assert action(client_of(role), ada) is (action in MAY[role])


@pytest.mark.parametrize("role", MAY)
def test_a_page_offers_what_the_role_may(ada, role):
    html = client_of(role).get(page(ada)).content.decode()
    for action, words in ((edits, "Save"), (deactivates, "Deactivate"), (reveals, ">Reveal<")):
        assert (words in html) is (action in MAY[role])
    assert ("/erase/" in html) is (erases in MAY[role])


def test_roles_add_up(ada):
    both = browser("Editor", "Privacy officer")
    assert edits(both, ada)
    assert erases(both, ada)


def granted() -> dict[str, set[str]]:
    groups = Group.objects.prefetch_related("permissions")
    return {group.name: {p.codename for p in group.permissions.all()} for group in groups}


def test_the_migration_of_the_roles_can_run_again(db):
    before = granted()
    Group.objects.get(name="Viewer").permissions.clear()
    for app in ("tenants", "audit", "customers", "sales"):
        name = f"{apps.get_app_config(app).name}.migrations.0002_roles"
        [grant] = importlib.import_module(name).Migration.operations
        grant.code(apps, SimpleNamespace(connection=connection))
    after = granted()
    assert after == before
    assert set(after) == {"Viewer", "Editor", "Privacy officer", "Administrator", "Key issuer"}
    assert after["Viewer"] == {"view_business", "view_customer", "view_invoice", "view_receipt"}


def test_who_administers_gains_no_value_by_a_key(ada):
    """Whoever may issue has a right that no other role holds, and no page grants another's."""
    issuers = [group.name for group in Group.objects.filter(permissions__codename="issue_apikey")]
    assert issuers == ["Key issuer"]
    gone = Permission.objects.filter(codename__in=["add_apikey", "delete_apikey"])
    assert not gone.exists()
    everyone_else = browser(*(role for role in granted() if role != "Key issuer"))
    assert not issues_a_key(everyone_else, ada)
    assert "apikey/add/" not in everyone_else.get("/admin/").content.decode()


# Out of scope.


@pytest.fixture
def eve(other_business) -> Customer:
    return factories.customer(other_business, name="Eve Ada", phone="0803 123 5678")


def reached(user: User | AnonymousUser) -> set[Business]:
    return set(Business.objects.in_scope(scope_of(user)))


def test_a_scope_is_given_and_nothing_without_it(business, other_business):
    assert reached(User.objects.create_user("new", is_staff=True)) == set()
    assert reached(member("Administrator", scope=())) == set()
    assert reached(member("Viewer", scope=(business,))) == {business}
    for user in (member(is_active=False), AnonymousUser(), User.objects.create_user("guest")):
        assert reached(user) == set()


def test_a_flag_or_a_superuser_reaches_all(business, other_business):
    everything = {business, other_business}
    assert reached(member("Viewer", scope=None)) == everything
    assert reached(member(is_superuser=True, scope=())) == everything
    assert reached(User.objects.create_superuser("root")) == everything


def test_a_scope_is_asked_for_once_a_request(business, django_assert_num_queries):
    user = member("Viewer", scope=(business, factories.business()))
    with django_assert_num_queries(1):
        assert scope_of(user) is scope_of(user)


@pytest.fixture
def limited(ada) -> Client:
    everything = ("Editor", "Privacy officer", "Administrator", "Key issuer")
    return browser(*everything, scope=(ada.business,))


@pytest.mark.parametrize(
    "action",
    [a for a in ACTIONS if a not in (adds_a_business, *ROOT)],
    ids=lambda action: action.__name__,
)
def test_no_action_reaches_a_business_out_of_scope(limited, eve, action):
    assert not action(limited, eve)


@pytest.mark.parametrize(
    "action",
    [a for a in ACTIONS if a not in (adds_a_business, *ROOT)],
    ids=lambda action: action.__name__,
)
def test_every_action_reaches_one_within(limited, ada, eve, action):
    assert action(limited, ada)


def test_what_is_out_of_scope_answers_as_what_does_not_exist(limited, ada, eve):
    key, _ = factories.api_key(eve.business)
    unknown = eve.pk + 1000

    def answer(url: str, **post: str) -> tuple[int, str, str]:
        response = limited.post(url, post) if post else limited.get(url)
        body = response.content.decode() if response.status_code not in (302, 404) else ""
        return response.status_code, response.headers.get("Location", ""), body

    for model, pk in (
        ("customers/customer", eve.pk),
        ("tenants/apikey", key.pk),
        ("tenants/business", eve.business_id),
    ):
        for tail in ("change/", "history/", "delete/"):
            url = f"/admin/{model}/{{}}/{tail}"
            assert answer(url.format(pk))[:2] == answer(url.format(unknown))[:2]
    for tail, post in (("reveal/", {"field": "email"}), ("erase/", {"typed": eve.public_id})):
        assert answer(f"{LIST}{eve.pk}/{tail}", **post) == answer(f"{LIST}{unknown}/{tail}", **post)
    business = eve.business.public_id
    assert listed(limited.get(f"{LIST}?business={business}")) == []
    assert listed(limited.get(f"{LIST}?p={eve.pk}")) == listed(limited.get(f"{LIST}?p={unknown}"))
    assert listed(limited.get(f"{LIST}?p={eve.pk}")) == [ada.public_id]


def test_searches_filters_forms_and_the_front_page_know_nothing_of_it(limited, ada, eve):
    key, text = factories.api_key(eve.business)
    for term in ("ada", "0803 123 5678"):
        assert listed(search(limited, term)) == [ada.public_id]
    assert listed(search(limited, eve.email)) == []
    assert listed(search(limited, eve.public_id)) == []
    assert listed(search(limited, eve.public_id, f"business={eve.business.public_id}")) == []
    found = limited.post(KEYS, {"q": text}, follow=True).context["cl"].result_list
    assert list(found) == []
    audit = limited.post(AUDIT, {"q": eve.public_id}, follow=True).context["cl"].result_list
    assert list(audit) == []
    pages = ["/admin/", LIST, f"{LIST}add/", page(ada), KEYS, f"{KEYS}add/", BUSINESSES, AUDIT]
    for url in pages:
        html = limited.get(url).content.decode()
        for told in (eve.business.name, eve.business.public_id, eve.public_id, key.last_four):
            assert told not in html, url
        assert f'value="{eve.business_id}"' not in html or url not in (f"{LIST}add/", f"{KEYS}add/")


def test_a_customer_and_a_key_cannot_be_made_out_of_scope(limited, ada, eve):
    before = Customer.objects.count()
    response = limited.post(
        f"{LIST}add/", {"business": eve.business_id, "name": "New", "email": "new@x.com"}
    )
    assert response.context["adminform"].form.errors["business"]
    limited.post(f"{KEYS}add/", {"business": eve.business_id, "name": "Shop"})
    assert Customer.objects.count() == before
    assert not ApiKey.objects.exists()


def test_whose_scope_is_some_businesses_adds_none(limited):
    assert limited.get(f"{BUSINESSES}add/").status_code == 403


def account_form(staff: Client, user: User, url: str, **scope: object) -> dict[str, object]:
    """What a browser posts from the account's page, with this scope."""
    form = staff.get(url).context["adminform"].form
    data: dict[str, object] = {n: form[n].value() for n in ("username", "is_active", "is_staff")}
    data |= {"groups": [group.pk for group in user.groups.all()]}
    data |= {"scope-TOTAL_FORMS": "1", "scope-INITIAL_FORMS": "0", "scope-0-user": user.pk}
    return data | {f"scope-0-{name}": value for name, value in scope.items()}


def test_superusers_set_the_scope_on_an_accounts_page(staff, business, other_business):
    for name, scope, expected in (
        ("one", {"businesses": [business.pk]}, {business}),
        ("all", {"all_businesses": "on"}, {business, other_business}),
        ("none", {}, set()),
    ):
        user = User.objects.create_user(name, is_staff=True)
        url = f"/admin/auth/user/{user.pk}/change/"
        assert "this account reaches no business" in staff.get(url).text
        assert staff.post(url, account_form(staff, user, url, **scope)).status_code == 302
        assert reached(User.objects.get(pk=user.pk)) == expected


def test_nobody_but_a_superuser_sets_a_scope(business, client, staff):
    helper = member("Administrator", scope=())
    helper.user_permissions.set(Permission.objects.all())
    assert not Permission.objects.filter(content_type__model="staffscope").exists()
    user = User.objects.create_user("new", is_staff=True)
    url = f"/admin/auth/user/{user.pk}/change/"
    data = account_form(staff, user, url, businesses=[business.pk], all_businesses="on")
    browser_of_helper = Client()
    browser_of_helper.force_login(helper)
    page = browser_of_helper.get(url)
    assert page.status_code == 200
    assert business.name not in page.text
    assert browser_of_helper.post(url, data).status_code == 302
    assert not StaffScope.objects.filter(user=user).exists()


def test_the_audit_is_read_only_and_pages_backwards(staff, business, monkeypatch):
    from finora.staff.audit import AuditEventAdmin

    monkeypatch.setattr(AuditEventAdmin, "list_per_page", 2)
    for _ in range(3):
        factories.customer(business)
    newest = list(AuditEvent.objects.order_by("-id").values_list("pk", flat=True))
    first = staff.get(AUDIT).context["cl"]
    second = staff.get(f"{AUDIT}?{first.next_page}").context["cl"]
    assert [row.pk for row in (*first.result_list, *second.result_list)] == newest[:4]
    assert staff.get(f"{AUDIT}add/").status_code == 403
    assert staff.post(f"{AUDIT}{newest[0]}/change/", {"subject": "x"}).status_code == 403
    assert staff.post(f"{AUDIT}{newest[0]}/delete/", {"post": "yes"}).status_code == 403
