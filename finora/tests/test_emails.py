"""Which addresses are emails, one by one, and which of them are one: on every way in.

Syntax only: whether a domain exists is nobody's business here, and reserved ones are fine.
"""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer
from finora.sealing import normal_forms
from finora.sealing.validators import email_shape
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, names, refused
from finora.tests.kit.sealed import blind_hash

LABEL = "a" * 63

# (address, why). Each comes back as it is written here.
TAKEN = [
    ("ada@example.com", "the plain one"),
    ("ada@example.com.ng", "two labels of a registry"),
    ("ada+orders@example.com", "a tag"),
    ("ada_obi-1@example.com", "underscore and hyphen"),
    ("o'brien@example.com", "an apostrophe"),
    ("!#$%&'*+/=?^_`{|}~-@example.com", "all that RFC 5322 takes unquoted"),
    ("1@2.ng", "digits alone"),
    ("ade.@docomo.ne.jp", "a dot at the end: the carrier gave such addresses out"),
    ("a..b@docomo.ne.jp", "two dots: likewise"),
    ("a...b..@ezweb.ne.jp", "and another carrier"),
    ('"quoted"@example.com', "quoted"),
    ('"a@b"@example.com', "an @ in quotes"),
    ('"a..b."@example.com', "dots in quotes, by the book"),
    ("ada@localhost", "reserved, and without a dot"),
    ("ada@shop.test", "reserved"),
    ("ada@example.invalid", "reserved"),
    ("ada@printer.local", "reserved"),
    ("ada@münchen.example", "a domain of other letters"),
    ("ada@ọjà.example", "Yoruba, composed"),
    ("ada@o\u0323ja\u0300.example", "the same, decomposed"),
    ("ada@ας.example", "a final sigma"),
    ("ada@παράδειγμα.example", "Greek"),
    ("ada@مثال.example", "Arabic, right to left by itself"),
    ("ada@उदाहरण.example", "Hindi, with marks"),
    ("ada@例え.example", "Japanese"),
    ("ada@例え.テスト", "a top level domain of other letters"),
    ("ada@xn--mnchen-3ya.example", "the same as the network spells it"),
    ("ada@example.xn--kgbechtv", "and at the top level"),
    ("ada@a-b.co", "a hyphen inside"),
    ("ada@[192.0.2.1]", "a literal address"),
    ("ada@[2001:db8::1]", "and one of version 6"),
    (f"ada@{LABEL}.com", "a label of 63"),
]
REFUSED = [
    ("", "empty"),
    ("ada", "no @"),
    ("@example.com", "nobody"),
    ("ada@", "nowhere"),
    ("ada@bola@example.com", "two of them"),
    (".ada@example.com", "a dot in front: no carrier gave that out"),
    ("ada@example", "one label: mostly a slip"),
    ("ada@example..com", "an empty label"),
    ("ada@.example.com", "an empty label in front"),
    ("ada@example.com.", "a dot at the end"),
    ("ada@-example.com", "a hyphen in front"),
    ("ada@example-.com", "a hyphen at the end"),
    (f"ada@{LABEL}a.com", "a label of 64"),
    ("ada@foo_bar.com", "an underscore in a host's name"),
    ("ada@example.c", "a top level domain of one letter"),
    ("ada obi@example.com", "a space"),
    ("ada@exa mple.com", "a space in the domain"),
    ('"ada obi"@example.com', "a space in quotes: nobody has one"),
    ("Ada <ada@example.com>", "with a name"),
    ("ada@example.com,bola@example.com", "two addresses"),
    ("mailto:ada@example.com", "a link"),
    ("ada\\@example.com", "a backslash"),
    ("ọlá@example.com", "a mailbox beyond ASCII: few servers carry it, and it has two spellings"),
    ("ſam@example.com", "a long s, which is an s to some"),
    ("\u212aade@example.com.\u212a", "Kelvin signs"),
    ("ada\u200b@example.com", "zero-width space"),
    ("\u200bada@example.com", "zero-width space in front"),
    ("ada@example.com\u200b", "zero-width space behind"),
    ("ada@exam\u200bple.com", "zero-width space in the domain"),
    ("ada@exam\u200cple.com", "zero-width non-joiner"),
    ("ada@exam\u200dple.com", "zero-width joiner"),
    ("ada@exam\u2060ple.com", "word joiner"),
    ("\ufeffada@example.com", "byte order mark"),
    ("ada@exam\ufeffple.com", "byte order mark inside"),
    ("ada@exam\u00adple.com", "soft hyphen"),
    ("ada@exam\u034fple.com", "grapheme joiner"),
    ("ada@exam\ufe0fple.com", "variation selector"),
    ("ada@exam\u180eple.com", "Mongolian vowel separator"),
    ("ada@exam\u3164ple.com", "Hangul filler"),
    ("ada@exam\u115fple.com", "Hangul initial filler"),
    ("\u202eada@example.com", "right-to-left override"),
    ("ada@exam\u202eple.com", "right-to-left override in the domain"),
    ("ada@exam\u200eple.com", "left-to-right mark"),
    ("ada@exam\u2066ple\u2069.com", "isolates"),
    ("ada@exam\u061cple.com", "Arabic letter mark"),
    ("ada\uff20example.com", "a full-width @"),
    ("ada@bola\uff20example.com", "a full-width @ behind one"),
    ("ada\ufe6bexample.com", "a small @"),
    ("ada@example\uff0ecom", "a full-width dot"),
    ("ada@shop.example\uff0ecom", "a full-width dot beside one"),
    ("ada@example\u3002com", "an ideographic dot"),
    ("ada@shop.example\uff61com", "a half-width one"),
    ("ada@shop.example\u2024com", "a dot leader"),
    ("ada@exa`mple.com", "a backtick in the domain"),
    ("ada@exa\u1fefmple.com", "what decomposes to a backtick"),
    ("ada@exa\uff40mple.com", "a full-width backtick"),
    ("ada@\uff45xample.com", "a full-width letter"),
    ("ada@exa\u00b2mple.com", "a superscript"),
    ("ada@\u2460example.com", "a digit in a circle"),
    ("ada@exa\u2215mple.com", "what looks like a slash"),
    ("ada@exa\u00a1mple.com", "a mark of punctuation"),
    ("ada@\u2603.example.com", "a picture"),
    ("ada@\ue000.example.com", "a character of nobody's"),
    ("ada@example.com\0", "a NUL"),
    ('"a\u0001"@example.com', "a control character in quotes"),
    ("ada@[192.0.2.256]", "no literal address"),
]  # fmt: skip
taken = pytest.mark.parametrize("email", [email for email, _ in TAKEN], ids=ascii)
wrong = pytest.mark.parametrize("email", [email for email, _ in REFUSED], ids=ascii)

# Addresses of one customer, as they are written first and then again.
ONE = [
    ("ada@example.com", " ADA@Example.COM\n"),
    ("ada@ας.example", "ADA@ΑΣ.example"),
    ("ada@ας.example", "ada@ασ.example"),
    ("ada@straße.example", "ADA@STRASSE.example"),
    ("ada@ọjà.example", "ada@o\u0323ja\u0300.example"),
    ("ada@ọjà.example", "ADA@ỌJÀ.EXAMPLE"),
    ("ade.@docomo.ne.jp", "ADE.@docomo.ne.jp"),
]
one = pytest.mark.parametrize(("first", "again"), ONE, ids=ascii)


@taken
def test_an_email_is_taken_on_every_way_in_and_found_again(api, business, staff, email):
    body = {"name": "Ada", "email": email}
    made = accepted(api.post("/v1/customers", body), 201)
    assert made["email"] == email
    found = accepted(api.post("/v1/customers/find-or-create", {"email": email}))
    assert (found["id"], found["email"]) == (made["id"], email)
    assert names(api.get("/v1/customers", {"email": email})) == ["Ada"]
    assert business.customers.search(email) == [Customer.objects.get()]
    other = factories.customer(business)
    path = f"/v1/customers/{other.public_id}"
    refused(api.put(path, {"email": email}), 409, "CONFLICT", ["email"])
    accepted(api.delete(f"/v1/customers/{made['id']}"))
    assert accepted(api.put(path, {"email": email}))["email"] == email
    accepted(api.delete(path))
    form = {"business": business.pk, "name": "Bola", "email": email}
    staff.post("/admin/customers/customer/add/", form)
    assert Customer.objects.active().get().email == email


@wrong
def test_what_is_no_email_is_refused_on_every_way_in(api, business, staff, email):
    customer = factories.customer(business)
    for answer in (
        api.post("/v1/customers", {"name": "Ada", "email": email}),
        api.post("/v1/customers/find-or-create", {"email": email}),
        api.put(f"/v1/customers/{customer.public_id}", {"email": email}),
    ):
        error = refused(answer, 400, "VALIDATION_ERROR", ["email"])
        assert len(email) < 5 or email not in str(error)
    refused(api.get("/v1/customers", {"email": email}), 400, "INVALID_REQUEST", ["email"])
    customer.email = email
    with pytest.raises(ValidationError) as raised:
        customer.full_clean()
    assert list(raised.value.message_dict) == ["email"]
    form = {"business": business.pk, "name": "Bola", "email": email}
    page = staff.post("/admin/customers/customer/add/", form)
    assert list(page.context["adminform"].form.errors) == ["email"]
    assert Customer.objects.get() == customer


@one
def test_two_spellings_of_one_email_are_one_customer(api, first, again):
    made = accepted(api.post("/v1/customers/find-or-create", {"email": first, "name": "A"}), 201)
    found = accepted(api.post("/v1/customers/find-or-create", {"email": again}))
    assert (found["id"], found["email"], found["created"]) == (made["id"], first, False)
    refused(api.post("/v1/customers", {"name": "B", "email": again}), 409, "CONFLICT", ["email"])
    assert names(api.get("/v1/customers", {"email": again})) == ["A"]


@one
def test_they_have_one_key_whichever_is_written_first(first, again):
    assert normal_forms.email_key(first) == normal_forms.email_key(again)


def test_what_nobody_sees_is_no_part_of_the_key(business):
    """Nobody can write it by now; what was stored before that is found all the same."""
    customer = factories.customer(business, email="a\u200bda@example.com\u202c")
    assert business.customers.with_email("ada@example.com").get() == customer


def test_different_emails_have_different_keys(business):
    emails = {normal_forms.email(email) for email, _ in TAKEN}
    emails -= {"ada@o\u0323ja\u0300.example"}
    assert len({blind_hash("email", business.pk, email) for email in emails}) == len(emails)


@given(st.text(max_size=40))
def test_a_key_is_the_key_of_itself_and_of_any_case(text):
    key = normal_forms.email_key(text)
    assert normal_forms.email_key(key) == key
    assert normal_forms.email_key(normal_forms.email(text)) == key


@given(st.emails())
def test_an_email_by_the_book_is_taken(email):
    email_shape(email)


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_is_taken_has_a_mailbox_of_ascii_and_a_domain_without_a_gap(mailbox, domain):
    email = normal_forms.email(f"{mailbox}@{domain}")
    try:
        email_shape(email)
    except ValidationError:
        return
    assert mailbox.isascii()
    assert not any(c.isspace() for c in email)
