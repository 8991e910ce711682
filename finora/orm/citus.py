"""Tables spread over several machines by business, with Citus.

What is everybody's is a reference table, a copy on each machine; tenants' rows are distributed by
their business, all tables alike, so that what belongs together is on one machine; everything else
stays on the coordinator. The models see no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from finora.orm.references import TenantReference

OWNER = "business_id"


class NotACluster(Exception):
    """What the database lacks to be spread, in a sentence."""


def distribute(
    connection: BaseDatabaseWrapper,
    owner: type[models.Model],
    tenants: Sequence[type[models.Model]],
) -> Iterator[str]:
    """Spreads the tables that are not spread yet; says what it did. To be called in a transaction.

    `owner` is the model of the businesses, `tenants` those of their rows. Raises NotACluster.
    """
    with connection.cursor() as cursor:
        _look(cursor)
        there = connection.introspection.table_names(cursor)
        if not {owner._meta.db_table, *(model._meta.db_table for model in tenants)} <= {*there}:
            raise NotACluster("Not all tables are there yet: migrate first.")
        yield from _set_on_database(cursor)
        cursor.execute("SET LOCAL citus.multi_shard_modify_mode = 'sequential'")
        done = _spread(cursor)
        new = [model for model in tenants if model._meta.db_table not in done]
        if owner._meta.db_table not in done or new:
            yield from _take_identities(cursor)
        # Added at the end: what refers to a table is spread after it, or before.
        references = [
            (f'ALTER TABLE "{model._meta.db_table}"', constraint.name, constraint.definition(model))
            for model in new
            for constraint in model._meta.constraints
            if isinstance(constraint, TenantReference)
        ]
        for alter, name, _ in references:
            cursor.execute(f'{alter} DROP CONSTRAINT IF EXISTS "{name}"')
        for model in new:
            _hold_owner_in_key(cursor, model)
        if owner._meta.db_table not in done:
            cursor.execute("SELECT create_reference_table(%s)", [owner._meta.db_table])
            yield f"{owner._meta.db_table}: a copy on each machine"
        for model in new:
            cursor.execute(
                "SELECT create_distributed_table(%s, %s, colocate_with => %s)",
                [model._meta.db_table, OWNER, _beside(cursor)],
            )
            yield f"{model._meta.db_table}: by business"
        for alter, _, definition in references:
            cursor.execute(f"{alter} ADD {definition}")


def _look(cursor: Any) -> None:
    cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
    if not cursor.fetchone():
        raise NotACluster("This database has no extension citus: CREATE EXTENSION citus, on each.")
    cursor.execute("SELECT groupid = 0 FROM pg_dist_local_group")
    if not cursor.fetchone()[0]:
        raise NotACluster("This is a worker: the tables are spread from the coordinator.")
    cursor.execute("SELECT count(*) FILTER (WHERE groupid = 0), count(*) FROM pg_dist_node")
    coordinators, nodes = cursor.fetchone()
    if not coordinators or nodes == coordinators:
        raise NotACluster(
            "The cluster has no workers, or does not know its coordinator:"
            " citus_set_coordinator_host(…), then citus_add_node(…) for each worker."
        )


def _set_on_database(cursor: Any) -> Iterator[str]:
    """Later migrations run as they are: what they change is referred to by other tables, and such
    changes go to one machine after another.
    """
    setting = "citus.multi_shard_modify_mode=sequential"
    cursor.execute(
        "SELECT %s = ANY (setconfig) FROM pg_db_role_setting JOIN pg_database d ON d.oid ="
        " setdatabase WHERE setrole = 0 AND datname = current_database()",
        [setting],
    )
    if not any(is_set for (is_set,) in cursor.fetchall()):
        cursor.execute("SELECT quote_ident(current_database())")
        [database] = cursor.fetchone()
        cursor.execute(
            f"ALTER DATABASE {database} SET citus.multi_shard_modify_mode = 'sequential'"
        )
        yield f"{setting}, for later migrations"


# Of the catalogue itself: the view citus_tables asks each machine for sizes, over connections that
# would wait for what this one has locked.


def _spread(cursor: Any) -> set[str]:
    """The tables that are reference tables or distributed."""
    cursor.execute(
        "SELECT relname FROM pg_dist_partition JOIN pg_class ON pg_class.oid = logicalrelid"
        " WHERE partmethod = 'h' OR (partmethod = 'n' AND repmodel = 't')"
    )
    return {name for (name,) in cursor.fetchall()}


def _beside(cursor: Any) -> str:
    """A table that is spread so already, whose shards the next one's stand beside."""
    cursor.execute(
        "SELECT logicalrelid::text FROM pg_dist_partition WHERE partmethod = 'h'"
        " AND column_to_column_name(logicalrelid, partkey) = %s ORDER BY 1 LIMIT 1",
        [OWNER],
    )
    row = cursor.fetchone()
    return row[0] if row else "none"


def _take_identities(cursor: Any) -> Iterator[str]:
    """Makes identity columns (of Django's own tables) columns with a sequence's default.

    A table that refers to a reference table becomes a part of the cluster, and its identity could
    not be changed afterwards.
    """
    cursor.execute(
        "SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE a.attidentity <> '' AND c.relkind = 'r'"
        " AND c.relnamespace = current_schema()::regnamespace ORDER BY 1"
    )
    rows = cursor.fetchall()
    for table, column, identity in rows:
        cursor.execute(f"SELECT last_value, is_called FROM {identity}")  # noqa: S608 - of the catalogue
        last, is_called = cursor.fetchone()
        cursor.execute(f'ALTER TABLE "{table}" ALTER "{column}" DROP IDENTITY')
        sequence = f"{table}_{column}_seq"
        cursor.execute(f'CREATE SEQUENCE "{sequence}" OWNED BY "{table}"."{column}"')
        cursor.execute("SELECT setval(%s::regclass, %s, %s)", [f'"{sequence}"', last, is_called])
        cursor.execute(
            f'ALTER TABLE "{table}" ALTER "{column}" SET DEFAULT nextval(\'"{sequence}"\')'
        )
    if rows:
        yield f"{len(rows)} identity columns: a sequence's instead"


def _hold_owner_in_key(cursor: Any, model: type[models.Model]) -> None:
    """What is unique holds the column that tables are spread by. A key alone is still looked up
    by: a row's page of the staff's, and lists in the order of keys.
    """
    table, key = model._meta.db_table, model._meta.pk.column
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'",
        [f'"{table}"'],
    )
    [name] = cursor.fetchone()
    for change in (
        f'DROP CONSTRAINT "{name}"',
        f'ADD CONSTRAINT "{name}" PRIMARY KEY ("{OWNER}", "{key}")',
    ):
        cursor.execute(f'ALTER TABLE "{table}" {change}')
    cursor.execute(f'CREATE INDEX "{table}_key" ON "{table}" ("{key}")')
