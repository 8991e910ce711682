"""What a bare machine cannot test is told, once, where nobody overlooks it."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from finora.tests.kit.programs import required

pytestmark = pytest.mark.once

TESTS = """
import pytest
from finora.tests.kit.programs import needed

@pytest.mark.parametrize("page", range(3))
def test_a_page(page):
    needed("chromium", "the staff's pages in a browser")

def test_a_call():
    needed("curl", "the README's calls as pasted")

def test_that_needs_nothing():
    pass

@pytest.mark.postgres
def test_about_the_other_database():
    pass
"""
ELSEWHERE = "In the run on PostgreSQL alone: 1 (pytest.ini: postgres)"


def last_lines(tmp_path, *options, **env):
    (tmp_path / "test_it.py").write_text(TESTS)
    here = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    run = subprocess.run(
        [*command, "-c", str(settings.BASE_DIR / "pytest.ini"), f"--rootdir={tmp_path}", tmp_path],
        cwd=settings.BASE_DIR,
        env=here | {"TEST_DB": "sqlite"} | env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.splitlines()[-2:]


def test_a_run_ends_with_what_it_left_out_and_how_to_have_it(tmp_path):
    elsewhere, missing = last_lines(tmp_path, "-n", "1", PATH=str(tmp_path))  # as `make test` does
    assert elsewhere == ELSEWHERE
    assert missing == (
        "NOT TESTED here: 1 of the README's calls as pasted"
        " (install curl; on Debian: apt-get install curl);"
        " 3 of the staff's pages in a browser"
        " (install chromium; on Debian: apt-get install chromium)"
    )


def test_a_run_that_left_nothing_out_ends_with_what_the_other_database_has(tmp_path):
    for name in ("chromium", "curl"):
        program = tmp_path / name
        program.touch()
        program.chmod(0o755)
    passed, elsewhere = last_lines(tmp_path, PATH=str(tmp_path))
    assert passed.startswith("5 passed, 1 deselected in ")
    assert elsewhere == ELSEWHERE


def test_what_is_required_fails_the_test_and_says_how_to_have_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.fail.Exception, match="apt-get install no-such-program"):
        required("no-such-program", "a test")
