"""What a test expects of an answer, and what the answer cost."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

_STATEMENT = re.compile(r'(SELECT|INSERT|UPDATE|DELETE).*?(?:FROM|INTO|UPDATE) "(\w+)"', re.DOTALL)
_UPDATE = re.compile(r'UPDATE "(\w+)"')


def accepted(response, status=200):
    """The `data` of a success."""
    assert response.status_code == status, response.content
    body = response.json()
    assert body["success"] is True
    return body["data"]


def refused(response, status, code, fields=None):
    """The `error` of a failure; `fields` are those that `details` must name, no more, no fewer."""
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    error = body["error"]
    assert error["code"] == code
    if fields is not None:
        assert sorted(detail["field"] for detail in error["details"]) == sorted(fields)
    return error


def names(response):
    """The customers of a list or search, by name."""
    data = accepted(response)
    assert data["count"] == len(data["customers"])
    return [customer["name"] for customer in data["customers"]]


def same_but_for_the_request_id(*responses):
    """Whether the answers cannot be told apart: status, body and headers."""
    seen = set()
    for response in responses:
        request_id = response["X-Request-Id"]
        headers = sorted((name, value) for name, value in response.items())
        whole = f"{response.status_code} {headers} {response.content.decode()}"
        seen.add(whole.replace(request_id, "req_"))
    return len(seen) == 1


def statements(call):
    """The statements that `call` sends, as `SELECT tenants_apikey`; savepoints left out.

    One that inserts a row and what is noted of it counts as all, as they are where SQLite is.
    """
    with CaptureQueriesContext(
        connection,
    ) as captured:
        call()
    found = []
    for query in captured:
        sql = query["sql"]
        if update := _UPDATE.match(sql):
            found.append(f"UPDATE {update[1]}")
        elif sql.startswith("WITH noted0 AS (INSERT"):
            *noted, row = _STATEMENT.findall(sql)
            found += [" ".join(each) for each in (row, *noted)]
        elif match := _STATEMENT.match(sql):
            found.append(f"{match[1]} {match[2]}")
        elif not re.match("(RELEASE |ROLLBACK TO )?SAVEPOINT|BEGIN|COMMIT", sql):
            found.append(sql)
    return found
