"""An imported row is held to the very rules of the API's body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.api.serializers import CustomerBody
from customers.rules import RULES, Broken
from finora.tests.kit.bodies import BROKEN, KEPT

pytestmark = pytest.mark.once

OF_API = {rule.api_name: rule for rule in RULES.values()}
WHOLE = {"name": "Ada", "email": "ada@example.com"}


def taken(name, value):
    try:
        text = OF_API[name].taken(value)
    except Broken:
        return "broken"
    return "broken" if text is None and not OF_API[name].is_optional else text


def accepted(name, value):
    body = CustomerBody(data={**WHOLE, name: value})
    return body.validated_data[OF_API[name].field] if body.is_valid() else "broken"


@pytest.mark.parametrize(("name", "value"), BROKEN, ids=lambda v: ascii(v)[:40])
def test_what_the_api_refuses_an_import_refuses(name, value):
    assert taken(name, value) == accepted(name, value) == "broken"


@pytest.mark.parametrize(("name", "value", "stored"), KEPT, ids=lambda v: ascii(v)[:40])
def test_what_the_api_takes_an_import_takes_alike(name, value, stored):
    assert taken(name, value) == accepted(name, value) == stored


@given(
    st.sampled_from(sorted(OF_API)),
    st.text() | st.text("aA1 -/@.é\u200b\n\0", max_size=40) | st.emails(),
)
def test_whatever_it_is_both_say_the_same(name, value):
    assert taken(name, value) == accepted(name, value)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.field)
def test_no_message_holds_the_value(rule):
    for value in ("Ada\0Obi secret@" * 50, "Ada\0Obi secret"):
        with pytest.raises(Broken) as broken:
            rule.taken(value)
        assert "secret" not in str(broken.value).lower()
