"""What the documents name is there, and what they say to paste works."""

import ast
import json
import os
import re
import subprocess
import tomllib
from types import SimpleNamespace

import pytest
import requests
from django.conf import settings
from django.core.management import get_commands
from django.urls import get_resolver

from finora.api import errors
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.programs import needed
from finora.tests.kit.tasks import run_tasks

ROOT = settings.BASE_DIR
README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PICTURE = ROOT / "docs" / "architecture.svg"
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# What is a path of this repository: it begins in one of its folders, or is a file beside them.
PATH = re.compile(
    r"(finora|customers|sales|bench|deploy|docs|templates|\.ci)/[^<*… ]*"
    r"|manage\.py|\w+\.(md|toml|txt|ini)"
)
IN_TEXT = re.compile(
    r"(?<![\w/.])(?:finora|customers|sales|bench|docs|templates)/[\w/-]+\.(?:py|md)\b"
)
SEE = re.compile(r"\b[Ss]ee ([a-z]\w+)\.(?:py|[a-z_]+)\b(?!\.)")
# Shell variables that the documents set themselves or take from the demo, and make's.
OTHER_NAMES = {
    *("API", "BID", "ID", "JSON", "KEY", "FINORA_API_KEY"),
    *("OWNER_URL", "RESTORED_URL", "PGOPTIONS"),
    *("BENCH", "SOAK", "DRILLS", "STORE", "UPGRADE", "TEST_DB", "CITUS_DATABASE_URL"),
}
ADDRESS = "http://127.0.0.1:8000"

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def variables() -> set[str]:
    """The environment variables that the settings read."""
    calls = [n for n in ast.walk(ast.parse(source())) if isinstance(n, ast.Call)]
    names = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func.value) in ("env", "os.environ")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(names) > 20
    return names


def source() -> str:
    return (ROOT / "finora" / "settings.py").read_text()


def targets() -> set[str]:
    """What make makes."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def made_in(text: str) -> set[str]:
    """What a document says to make."""
    pasted = "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    return {*re.findall(r"`make ([a-z-]+)", text), *re.findall(r"(?m)^make ([a-z-]+)", pasted)}


def block(language: str, holding: str) -> str:
    """README's block of code in this language that has this in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    [found] = [text for text in blocks if holding in text]
    return found


def test_the_readme_is_one_page():
    assert len(README.read_text().splitlines()) <= 130


@each_document
def test_links_lead_somewhere(document):
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]
    missing = [link for link in links if not (document.parent / link.partition("#")[0]).exists()]
    assert missing == []


@each_document
def test_paths_are_there(document):
    paths = [code for code in CODE.findall(document.read_text()) if PATH.fullmatch(code)]
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


def test_files_that_comments_name_are_there():
    code = [
        path
        for folder in ("finora", "customers", "sales", "bench")
        for path in (ROOT / folder).rglob("*.py")
    ]
    modules = {path.stem for path in code} | {path.parent.name for path in code}
    missing = []
    for path in [*code, ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / ".env.example"]:
        text = path.read_text()
        missing += [(path, name) for name in IN_TEXT.findall(text) if not (ROOT / name).exists()]
        missing += [(path, name) for name in SEE.findall(text) if name not in modules]
    assert missing == []


@each_document
def test_commands_are_there(document):
    text = document.read_text()
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= get_commands().keys()
    assert made_in(text) <= targets()


def test_every_command_of_ours_is_documented():
    pages = "".join(page.read_text() for page in DOCUMENTS) + (ROOT / "Makefile").read_text()
    named = {*re.findall(r"manage\.py ([a-z_]+)", pages), *re.findall(r"`([a-z_]+)", pages)}
    ours = {
        path.stem
        for folder in ("finora", "customers", "sales")
        for path in (ROOT / folder).glob("management/commands/[a-z]*.py")
    }
    assert len(ours) > 15
    assert ours - named == set()


def test_every_make_command_is_documented():
    assert set().union(*(made_in(page.read_text()) for page in DOCUMENTS)) == targets()


@each_document
def test_variables_checks_and_codes_are_there(document):
    text = document.read_text()
    known = variables() | {f"{name}_FILE" for name in variables()}
    set_here = set(re.findall(r"\b([A-Z][A-Z_]{2,})=", text))
    assert set_here <= known | OTHER_NAMES
    assert get_resolver().url_patterns  # a module's codes are there once its views are
    codes = {kind.code for kind in errors.every_kind()}
    named = {code for code in CODE.findall(text) if re.fullmatch(r"[A-Z]+_[A-Z_]+", code)}
    named = {name for name in named if not hasattr(settings, name)}
    assert named <= known | codes | {"NAME_FILE", "TYPE_CHECKING"}
    product = "".join(path.read_text() for path in (ROOT / "finora").rglob("*.py"))
    assert [
        check for check in re.findall(r"finora\.[EW]\d+", text) if f'"{check}"' not in product
    ] == []


def test_every_variable_is_documented():
    table = (ROOT / "docs" / "configuration.md").read_text()
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in CODE.findall(row)}
    assert documented == variables() - {"ENV_FILE"}
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)) == documented


def test_the_architecture_names_every_room():
    page, picture = (ROOT / "docs" / "architecture.md").read_text(), PICTURE.read_text()
    rooms = [path.parent for path in (ROOT / "finora").glob("*/__init__.py")]
    rooms = [room for room in rooms if room.name != "tests"]
    assert len(rooms) >= 9
    assert [room.name for room in rooms if f"`finora/{room.name}/`" not in page] == []
    assert [room.name for room in rooms if f">{room.name}<" not in picture] == []


def test_the_architecture_has_the_order_of_the_import_contract():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    [floors] = [c["layers"] for c in contracts if "customers" in c.get("layers", ())]
    place = {
        name.replace(".", "/"): at
        for at, floor in enumerate(floors)
        for name in re.split(r" *[|:] *", floor)
    }
    table = (ROOT / "docs" / "architecture.md").read_text().partition("| floor |")[2]
    named = re.findall(r"`(bench|sales|customers|finora/\w+)", table.partition("\n\n")[0])
    assert {name for name in place if "finora" not in name} <= {*named}
    assert len(named) > 20
    assert [place[name] for name in named] == sorted(place[name] for name in named)


@pytest.mark.django_db(transaction=True)
def test_the_readmes_calls_work_as_pasted(live_server, tmp_path):
    business = factories.business()
    key = factories.api_key(business)[1]
    for program in ("bash", "curl"):
        needed(program, "the README's calls as pasted")
    lines = block("sh", "find-or-create").replace(ADDRESS, live_server.url)
    lines = lines.replace("curl ", "curl -sS --fail-with-body -w '\\n' ")
    done = subprocess.run(
        ["bash", "-eu", "-c", lines],
        env=os.environ | {"BID": business.public_id, "FINORA_API_KEY": key},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = map(json.loads, filter(None, done.stdout.splitlines()))
    found, changed, listed, filtered, deleted, begun = said
    assert found["data"]["name"] == "Jane Doe"
    assert changed["data"]["companyName"] == "Jane & Co"
    assert listed["data"]["count"] == filtered["data"]["count"] == 1
    assert deleted["data"] == {"id": found["data"]["id"], "isActive": False}
    customer, last = map(json.loads, (tmp_path / "customers.jsonl").read_text().split("\n")[:2])
    assert (customer["email"], last) == ("jane@example.com", {"count": 1})
    assert begun["data"]["state"] == "waiting"
    run_tasks()
    assert [(each.state, each.rows) for each in business.imports.all()] == [("done", 1)]


@pytest.mark.django_db(transaction=True)
def test_the_calls_of_invoices_and_receipts_work_as_pasted(live_server):
    business = factories.business()
    key = factories.api_key(business)[1]
    page = (ROOT / "docs" / "invoices.md").read_text()
    lines = page.partition("```sh\n")[2].partition("```")[0].replace(ADDRESS, live_server.url)
    done = subprocess.run(
        ["bash", "-eu", "-c", lines.replace("\ncurl ", "\ncurl -sS --fail-with-body -w '\\n' ")],
        env=os.environ | {"BID": business.public_id, "FINORA_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    receipt, listed, customer = map(json.loads, done.stdout.splitlines())
    assert receipt["data"]["unallocatedAmount"] == 0.5
    assert [invoice["total"] for invoice in listed["data"]["invoices"]] == [40312.5]
    assert customer["data"]["accountBalance"] == 40312.5 - 20000.5


@pytest.fixture
def order_sync(live_server, monkeypatch):
    """What README's Python makes where it is pasted, and the key that it calls with."""
    key, text = factories.api_key(factories.business())
    monkeypatch.setenv("FINORA_API_KEY", text)
    there: dict[str, object] = {}
    exec(block("python", "customer_of").replace(ADDRESS, live_server.url), there)
    return there, key


def order(**billing: str) -> dict[str, object]:
    whole = {"first_name": "Jane", "last_name": "Doe", "phone": "0803 123 4567"} | billing
    return {"billing": whole}


@pytest.mark.django_db(transaction=True)
def test_the_readmes_order_sync_works_as_pasted(order_sync):
    customer_of = order_sync[0]["customer_of"]
    made = customer_of(order(email="jane@example.com"))
    assert made.startswith("cust_")
    assert customer_of(order(email="Jane@Example.com")) == made
    assert customer_of(order(email="ada@example.com", first_name="", last_name="")) != made
    assert customer_of(order(email="")) is None


@pytest.mark.django_db(transaction=True)
def test_the_readmes_order_sync_takes_no_other_error_for_a_guest(order_sync):
    there, _ = order_sync
    with pytest.raises(requests.HTTPError, match="400"):
        there["customer_of"](order(email="long@example.com", phone="0" * 33))
    there["KEY"] = "test_sk_of_nobody"
    with pytest.raises(requests.HTTPError, match="401"):
        there["customer_of"](order(email=""))


@pytest.mark.django_db(transaction=True)
def test_the_readmes_order_sync_waits_as_it_is_told(order_sync):
    there, key = order_sync
    ApiKey.objects.filter(pk=key.pk).update(rate_limits="1/minute")
    waited = []

    def sleep(seconds):
        """As if the minute had passed: the call too many is one no longer."""
        waited.append(seconds)
        ApiKey.objects.filter(pk=key.pk).update(rate_limits="off")

    there["time"] = SimpleNamespace(sleep=sleep)
    made = there["customer_of"](order(email="jane@example.com"))
    assert there["customer_of"](order(email="jane@example.com")) == made
    [seconds] = waited
    assert 1 <= seconds <= 60
