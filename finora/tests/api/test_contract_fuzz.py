"""Schemathesis against a live server, by the OpenAPI page alone, with all its checks on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from customers.transfer.tasks import begin
from finora.tests.kit import books, factories
from finora.tests.kit.tasks import run_tasks

ROOT = Path(__file__).parents[3]
SEED, EXAMPLES = 1, 25


@pytest.mark.slow
@pytest.mark.postgres  # the stricter one: of texts, of numbers, of types
@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_a_contract_fuzzer_finds_nothing(live_server: Any, tmp_path: Path):
    business = factories.business()
    key = factories.api_key(business)[1]
    spare = factories.api_key(business)[0]
    for _ in range(30):
        customer = factories.customer(
            business, phone="0803 123 4567", tin="1234567890", address="x"
        )
    invoice = books.invoice(customer)
    import_ = begin(business, [b"name,email\nAda,ada@example.com\nBola,none\n"])
    run_tasks()
    # Each operation must have been reached: a run of nothing but 403 and 404 finds nothing either.
    (tmp_path / "schemathesis.toml").write_text("[warnings]\nfail-on = true\n")
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{live_server.url}/openapi.json",
            f"--header=Authorization: Bearer {key}",
            "--checks=all",
            "--phases=examples,coverage,fuzzing,stateful",
            f"--seed={SEED}",
            f"--max-examples={EXAMPLES}",
            "--continue-on-failure",
            "--generation-database=none",
            "--no-color",
        ],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "finora.tests.kit.fuzz_hooks",
            "FUZZ_BUSINESS_ID": business.public_id,
            "FUZZ_SPARE_KEY_ID": spare.public_id,
            "FUZZ_CUSTOMER_ID": customer.public_id,
            "FUZZ_INVOICE_ID": invoice.public_id,
            "FUZZ_IMPORT_ID": import_.public_id,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    assert "Selected: 24/24" in said
    assert int(re.search(r"(\d+) generated", said)[1]) > 300, said
    assert "No issues found" in said, said
