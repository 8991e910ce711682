"""A node of a cluster is away: its businesses are told so, and no others.

The cluster is a stand-in here, made of a table, a view and functions under the names of Citus',
which raise the errors that it raises. The real one is asked where CITUS_DATABASE_URL leads to it.
"""

import pytest
from django.db import connection

from finora.api import errors
from finora.orm import nodes
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused
from finora.tests.kit.fixtures import Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


# --- /readyz ------------------------------------------------------------------------------------


@pytest.fixture
def cluster():
    """Says which of two nodes answer how: `cluster("true", "pg_sleep(60) IS NULL")`."""

    def answers(first, second):
        execute(
            f"""
            CREATE OR REPLACE FUNCTION citus_check_connection_to_node(name text, port int)
            RETURNS bool LANGUAGE plpgsql AS
            $$ BEGIN RETURN CASE port WHEN 1 THEN {first} ELSE {second} END; END $$
            """
        )

    execute(
        """
        CREATE TABLE pg_dist_node (nodeid int, nodename text, nodeport int, noderole text,
            isactive bool, shouldhaveshards bool);
        """
    )
    execute(
        """
        INSERT INTO pg_dist_node VALUES (1, 'coordinator', 0, 'primary', true, false),
            (4, 'one.internal', 1, 'primary', true, true),
            (7, 'two.internal', 2, 'primary', true, true),
            (8, 'removed', 3, 'primary', false, true)
        """
    )
    nodes._is_cluster.cache_clear()
    yield answers
    execute("DROP TABLE pg_dist_node")
    execute("DROP FUNCTION citus_check_connection_to_node")
    nodes._is_cluster.cache_clear()


def test_readyz_names_a_node_that_is_away_and_stays_ready(cluster, client):
    cluster("true", "true")
    assert accepted(client.get("/readyz")) == {"status": "ok"}
    cluster("true", "false")
    response = client.get("/readyz")
    assert accepted(response) == {"status": "ok", "nodesAway": [7]}
    assert "internal" not in response.content.decode()


def test_readyz_waits_a_second_for_a_node_that_hangs(cluster, client):
    cluster("pg_sleep(60) IS NULL", "true")
    assert accepted(client.get("/readyz")) == {"status": "ok", "nodesAway": [4]}
    assert execute("SHOW statement_timeout") == [("0",)]


def test_readyz_is_not_ready_when_no_node_answers(cluster, client):
    cluster("false", "false")
    error = refused(client.get("/readyz"), 503, "SERVICE_UNAVAILABLE")
    assert error["message"] == errors.UNREACHABLE.message


# --- Calls --------------------------------------------------------------------------------------

# What Citus 13.2 raised of a node that was gone or went in the middle of a statement (08006), that
# was told to end (57P01); and what a node says that is about to start.
STATES = ["08006", "57P01", "57P03"]


@pytest.fixture
def away(business):
    """Makes each look at this business's customers fail with a SQLSTATE; answers how many did."""

    def make(state):
        execute("CREATE SEQUENCE looks")
        execute(
            f"""
            CREATE FUNCTION reached(business bigint) RETURNS bool LANGUAGE plpgsql COST 100000 AS
            $$ BEGIN
                IF business = {business.pk} THEN
                    PERFORM nextval('looks');
                    RAISE 'connection to the remote node two.internal:2 failed'
                        USING ERRCODE = '{state}';
                END IF;
                RETURN true;
            END $$
            """
        )
        execute("ALTER TABLE customers_customer RENAME TO shards")
        execute("CREATE VIEW customers_customer AS SELECT * FROM shards WHERE reached(business_id)")

    def looks():
        called, count = execute("SELECT is_called, last_value FROM looks")[0]
        return count if called else 0

    make.looks = looks
    yield make
    execute("DROP VIEW customers_customer")
    execute("ALTER TABLE shards RENAME TO customers_customer")
    execute("DROP FUNCTION reached")
    execute("DROP SEQUENCE looks")


@pytest.mark.parametrize("state", STATES)
def test_its_businesses_are_told_to_try_again_and_others_are_served(
    away, business, other_business, state
):
    lost, there = factories.customer(business), factories.customer(other_business)
    theirs, ours = Api(business), Api(other_business)
    away(state)
    calls = [
        lambda api, one: api.get(f"/v1/customers/{one.public_id}"),
        lambda api, one: api.get("/v1/customers"),
        lambda api, one: api.get("/v1/customers/search", {"q": one.name}),
        lambda api, one: api.put(f"/v1/customers/{one.public_id}", {"name": "Ada"}),
        lambda api, one: api.post("/v1/customers/find-or-create", {"email": one.email}),
    ]
    for call in calls:
        looks = away.looks()
        response = call(theirs, lost)
        error = refused(response, 503, "SERVICE_UNAVAILABLE")
        assert error["retryAfter"] == int(response["Retry-After"])
        assert "internal" not in response.content.decode()
        assert away.looks() == looks + 1  # and it was not asked again
        assert accepted(call(ours, there))
