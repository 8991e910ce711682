"""What points from one row of a business at another of the same business.

The database holds both columns, business and key, so that it refuses another tenant's row, and
joins are by both. SQLite holds it as PostgreSQL does.

Private parts of Django, held in finora/tests/orm/test_references.py: `get_extra_restriction` and
`get_extra_descriptor_filter`, which Django has for its generic relations. Unasked, a join or a look
at `invoice.customer` would be by the key alone: right still, but asked of every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.ddl_references import Statement, Table
from django.db.models.lookups import Exact

if TYPE_CHECKING:
    _ForeignKey = models.ForeignKey[Any, Any]
else:
    _ForeignKey = models.ForeignKey


class TenantForeignKey(_ForeignKey):
    """A foreign key from a tenant's row to another of its business.

    Its model has the TenantReference that the database holds it by, and the index, beginning with
    the business, that it is looked up by. It cascades nothing: the database refuses to let go what
    is pointed at.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options |= {"on_delete": models.DO_NOTHING, "db_constraint": False}
        options.setdefault("db_index", False)
        super().__init__(*args, **options)

    def get_internal_type(self) -> str:
        return "ForeignKey"

    def get_extra_descriptor_filter(self, instance: Any) -> dict[str, Any]:
        return {"business_id": instance.business_id}

    def get_extra_restriction(self, alias: str | None, related_alias: str | None) -> Any:
        if alias is None or related_alias is None:
            return None  # of a subquery, about rows that are named already
        target: Any = self.related_model
        theirs: Any = target._meta.get_field("business")
        mine: Any = self.model._meta.get_field("business")
        return Exact(theirs.get_col(alias), mine.get_col(related_alias))

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        models.Field.validate(self, value, model_instance)  # its TenantReference asks for the row


class TenantReference(models.BaseConstraint):
    """That a TenantForeignKey leads to a row of the same business, as the database holds it.

    Its target has a unique constraint of business and id. PostgreSQL looks at it with each
    statement: at the end of a transaction, as Django has it of foreign keys and SQLite of this, a
    cluster says only that it could not commit.
    """

    def __init__(self, *, field: str, name: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.field = field

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """None for a new table where the target is spread over machines: this one has to be spread
        first, by `manage.py distribute`, which then adds it.
        """
        field: Any = model._meta.get_field(self.field)
        if _is_distributed(schema_editor.connection, field.related_model._meta.db_table):
            return None
        if schema_editor.connection.vendor == "sqlite":
            # Django empties tables there one by one, in any order, inside a transaction.
            return f"{self.definition(model)} DEFERRABLE INITIALLY DEFERRED"
        return self.definition(model)

    def definition(self, model: Any) -> str:
        """As it stands in CREATE TABLE, or behind ADD."""
        field: Any = model._meta.get_field(self.field)
        target = field.related_model._meta
        return (
            f'CONSTRAINT "{self.name}" FOREIGN KEY ("business_id", "{field.column}")'
            f' REFERENCES "{target.db_table}" ("business_id", "{target.pk.column}")'
        )

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        return Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self.definition(model),
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        sql = schema_editor.sql_delete_fk
        return schema_editor._delete_constraint_sql(sql, model, self.name)

    def validate(
        self,
        model: type[models.Model],
        instance: Any,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raises ValidationError where there is no such row in the business."""
        field: Any = model._meta.get_field(self.field)
        key = getattr(instance, field.attname)
        if key is None or self.field in (exclude or ()):
            return
        rows = field.related_model._base_manager.using(using)
        if not rows.filter(business_id=instance.business_id, pk=key).exists():
            message = self.get_violation_error_message()
            raise ValidationError({self.field: [ValidationError(message, code="invalid")]})

    def deconstruct(self) -> Any:
        path, args, options = super().deconstruct()
        return path, args, options | {"field": self.field}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TenantReference):
            return bool(self.deconstruct() == other.deconstruct())
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.field))


def _is_distributed(connection: Any, table: str) -> bool:
    """Whether a table is spread over the machines of a Citus cluster (see finora/orm/citus.py)."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        if not cursor.fetchone():
            return False
        cursor.execute(
            "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass(%s)"
            " AND partmethod = 'h'",
            [f'"{table}"'],
        )
        return cursor.fetchone() is not None
