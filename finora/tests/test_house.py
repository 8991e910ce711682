"""A module that is installed is held to the same rules as the others: nothing leaves it out."""

import configparser
import re
import tomllib

import pytest
from django.apps import apps
from django.conf import settings

pytestmark = pytest.mark.once

ROOT = settings.BASE_DIR
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES = sorted(
    {
        app.name.partition(".")[0]
        for app in apps.get_app_configs()
        if "site-packages" not in app.path
    }
)


def test_the_platform_and_the_first_module_are_seen():
    assert {"customers", "finora"} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_its_tests_run_its_types_and_its_imports_are_checked(package):
    pytest_ini = configparser.ConfigParser()
    pytest_ini.read(ROOT / "pytest.ini")
    assert package in pytest_ini["pytest"]["testpaths"].split()
    [typed] = re.findall(r"/mypy (.*)", (ROOT / "Makefile").read_text())
    assert package in typed.split()
    assert package in LINTER["root_packages"]
    floors = [floor for contract in LINTER["contracts"] for floor in contract.get("layers", ())]
    on_floors = {
        name.partition(".")[0] for floor in floors for name in re.split(r" *[|:] *", floor)
    }
    assert package in on_floors


def test_no_test_imports_another():
    """What two of them need is the kit's: finora/tests/kit."""
    importing = re.compile(r"^\s*(?:from|import) .*\btest_\w+", re.MULTILINE)
    found = [
        str(path.relative_to(ROOT))
        for package in ("finora", "customers", "sales", "bench")
        for path in (ROOT / package).rglob("tests/**/*.py")
        if importing.search(path.read_text())
    ]
    assert found == []
