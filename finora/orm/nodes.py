"""The nodes that a Citus coordinator spreads businesses over: which of them are away.

One that is away takes its businesses with it and no others, so a process goes on serving.
"""

from __future__ import annotations

from functools import cache

from django.db import OperationalError, connection, transaction

# Of a node that cannot be connected to. For one that hangs under a connection Citus waits whatever
# is set: then the process's patience (finora/orm/patience.py) ends the question, and it is away.
ANSWER_SECONDS = 1


def away() -> tuple[list[int], int]:
    """The ids of the nodes that do not answer the coordinator (`nodeid` of pg_dist_node), and how
    many nodes there are: 0 where the database is no cluster. Raises django.db.Error."""
    if connection.vendor != "postgresql" or not _is_cluster():
        return [], 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nodeid, nodename, nodeport FROM pg_dist_node"
            " WHERE noderole = 'primary' AND isactive AND shouldhaveshards ORDER BY nodeid"
        )
        nodes = cursor.fetchall()
    return [node for node, host, port in nodes if not _answers(host, port)], len(nodes)


def _answers(host: str, port: int) -> bool:
    # A transaction of its own: a savepoint is undone on the node as well, which may hang.
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{ANSWER_SECONDS}s'")
            cursor.execute("SELECT citus_check_connection_to_node(%s, %s)", [host, port])
            return bool(cursor.fetchone()[0])
    except OperationalError:  # it took too long
        return False


@cache
def _is_cluster() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_dist_node') IS NOT NULL")
        return bool(cursor.fetchone()[0])
