"""The lane on a Citus cluster, where there is one."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

LANE = "finora/tests/orm/citus_lane.py"


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_product_on_a_cluster():
    if not os.environ.get("CITUS_DATABASE_URL"):
        pytest.skip(f"the product on a Citus cluster (set CITUS_DATABASE_URL; see {LANE})")
    here = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    lane = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", LANE],
        cwd=settings.BASE_DIR,
        env=here | {"TEST_DB": "sqlite"},  # its own database is the cluster's
        capture_output=True,
        text=True,
        check=False,
    )
    assert lane.returncode == 0, lane.stdout[-10_000:]
