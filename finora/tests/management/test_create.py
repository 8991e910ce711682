"""create_business and create_api_key: for scripts, so they print one thing and nothing else."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from finora.tenants.models import ApiKey, Business

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def test_a_business_is_made_and_its_id_printed():
    public_id = printed("create_business", "  Acme Ltd ")
    assert Business.objects.get(public_id=public_id).name == "Acme Ltd"


def test_a_business_takes_an_id_from_outside():
    assert printed("create_business", "Acme", "--id", "biz_of-ours_1") == "biz_of-ours_1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("  ",), "blank"),
        (("Acme", "--id", "cust_1"), "An id is biz_"),
        (("Acme", "--id", "biz_" + "x" * 61), "An id is biz_"),
        (("Acme", "--id", "biz_taken"), "exists"),
    ],
)
def test_a_business_that_cannot_be_is_refused(arguments, message):
    printed("create_business", "First", "--id", "biz_taken")
    with pytest.raises(CommandError, match=message):
        printed("create_business", *arguments)
    assert Business.objects.count() == 1


def test_a_key_is_made_and_printed_and_opens_its_business():
    business = printed("create_business", "Acme")
    key = ApiKey.for_request(printed("create_api_key", business, "--name", "n" * 101))
    assert key is not None
    assert (key.business.public_id, key.name) == (business, "n" * 100)


def test_a_key_needs_a_business_that_is_there():
    with pytest.raises(CommandError, match="no business"):
        printed("create_api_key", "biz_none", "--name", "Shop")
    assert not ApiKey.objects.exists()
