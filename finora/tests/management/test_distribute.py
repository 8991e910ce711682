"""Without a cluster it says what is lacking; on one: finora/tests/orm/test_citus.py."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

LACKING = {
    "sqlite": "an extension of PostgreSQL",
    "postgresql": "no extension citus: CREATE EXTENSION citus",
}


@pytest.mark.parametrize("options", [{}, {"dry_run": True}])
def test_a_single_machine_stays_as_it_is(db, options):
    with pytest.raises(CommandError, match=LACKING[connection.vendor]):
        call_command("distribute", **options)
