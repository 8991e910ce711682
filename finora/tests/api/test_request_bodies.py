"""Bodies that never reach a view: not JSON, no object, too large, of another type."""

import json
from io import BytesIO

import pytest

from customers.models import Customer
from finora.tests.kit.answers import accepted, refused

LIST = "/v1/customers"
RANDOM = "/v1/customers/cust_01m856xg30stvj9jcm4w45f70m"
ADA = {"name": "Ada", "email": "ada@example.com"}
KIB_64 = 64 * 1024
JSON = {"CONTENT_TYPE": "application/json"}


def body_of(size):
    """A body that is good apart from its size in bytes."""
    start = b'{"name":"Ada","email":"ada@example.com","filler":"'
    return start + b"x" * (size - len(start) - 2) + b'"}'


NOT_JSON_OBJECTS = [
    b"",
    b" ",
    b"{",
    b"}",
    b"null",
    b"true",
    b"5",
    b'"text"',
    b"[]",
    b'[{"name":"Ada","email":"ada@example.com"}]',
    b"{'name':'Ada'}",
    b'{"name":"Ada",}',
    b'{"name":"Ada"} x',
    b'{"name":"Ada"}{"name":"Ada"}',
    b'{"name":NaN}',
    b'{"x":Infinity}',
    b'{"x":-Infinity}',
    b'{"name":"Ada\n"}',
    b'{"name":"\\x41"}',
    b'{"name":"\\ud8"}',
    b'{"name":"\xff"}',
    b'{"name":"\xed\xa0\x80"}',
    b"\xef\xbb\xbf{}",
    b"\x00",
    b'\x00{"name":"Ada"}',
    '{"name":"Ada"}'.encode("utf-16"),
    '{"name":"Ad\u00e9"}'.encode("latin-1"),
    b"name=Ada&email=ada@example.com",
    b"<name>Ada</name>",
    b'{"x":' + b"[" * 60_000 + b"]}",
    b'{"x":' * 10_000,
    b"[" * 30_000 + b"]" * 30_000,
    b'{"x":' + b"9" * 50_000 + b"}",
]


@pytest.mark.parametrize("body", NOT_JSON_OBJECTS, ids=lambda b: ascii(b[:30]))
def test_what_is_no_json_object_is_refused(api, body):
    for method, path in (("POST", LIST), ("POST", f"{LIST}/find-or-create"), ("PUT", RANDOM)):
        refused(api.call(method, path, body), 400, "INVALID_REQUEST")
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    "extra",
    [
        b'"x":1e400',
        b'"x":-0',
        b'"x":' + b"9" * 4000,
        b'"x":' + b"[" * 400 + b"]" * 400,
        b'"x":"\\ud800"',
        b'"\\ud800":1',
        b'"x":"\\u0000"',
    ],
    ids=lambda b: ascii(b[:20]),
)
def test_odd_values_of_unknown_fields_are_ignored(api, extra):
    accepted(api.post(LIST, b'{"name":"Ada","email":"ada@example.com",' + extra + b"}"), 201)


def test_a_body_of_64_kib_is_taken_and_one_byte_more_is_not(api):
    accepted(api.post(LIST, body_of(KIB_64)), 201)
    for size in (KIB_64 + 1, 2 * KIB_64, 3 * 1024 * 1024):
        refused(api.post(f"{LIST}/find-or-create", body_of(size)), 413, "INVALID_REQUEST")
        refused(api.post(LIST, b"x" * size), 413, "INVALID_REQUEST")
        refused(api.put(RANDOM, body_of(size)), 413, "INVALID_REQUEST")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;charset=latin-1",
    ],
)
def test_json_is_utf_8_whatever_its_type_adds(api, content_type):
    body = json.dumps(ADA | {"name": "Adé"}, ensure_ascii=False).encode()
    assert accepted(api.post(LIST, body, content_type=content_type), 201)["name"] == "Adé"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/vnd.api+json",
        "application/jsonx",
        "json",
        "application/*",
        "*/*",
        "text/json",
        ";",
        "application/json, text/plain",
        "\xe9/\xe9",
    ],
)
def test_another_content_type_is_refused(api, content_type):
    response = api.post(LIST, ADA, content_type=content_type)
    refused(response, 415, "INVALID_REQUEST")
    assert not Customer.objects.exists()


@pytest.mark.parametrize("length", ["", "0", "abc", "-5", "1"])
def test_a_wrong_content_length_breaks_nothing(api, length):
    """Without one there is no body to a WSGI application, whatever was sent in chunks."""
    sent = JSON | {"CONTENT_LENGTH": length, "wsgi.input": BytesIO(json.dumps(ADA).encode())}
    refused(api.post(LIST, b"", **sent), 400, "INVALID_REQUEST")


def test_a_body_cut_short_is_refused(api):
    sent = JSON | {"CONTENT_LENGTH": "5000", "wsgi.input": BytesIO(b'{"name": "Ada", "ema')}
    refused(api.post(LIST, b"", **sent), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "query",
    ["&".join(f"a{n}=1" for n in range(2000)), "%", "&&&", "=", "limit", "%00=%00", "limit[]=1"],
)
def test_odd_query_strings_break_nothing(api, business, query):
    response = api.call("GET", f"{LIST}?businessId={business.public_id}&{query}")
    assert response.status_code in (200, 400)
    if response.status_code == 400:
        refused(response, 400, "INVALID_REQUEST")
