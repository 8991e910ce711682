"""Querysets of the request path, compiled to SQL once.

Building and compiling a queryset takes Django several times as long as the database takes for a
row by its key. Here that is done once, by a server before its first request: the queryset is
written as ever, with a `Slot` where a value goes, and afterwards only the values change. Rows come
through the same converters and the same `from_db` as any other's.

Private parts of Django, as `ModelIterable` uses them, and what would break; each is held against a
queryset's own rows in finora/tests/orm/test_prepared.py, and what is not done here is refused:

- `Query.get_compiler`, `SQLCompiler.as_sql`, `.select`, `.col_count`, `.klass_info`,
  `.annotation_col_map`, `.get_converters`: which columns the statement answers, of what model, and
  what makes Python's values of them. Wrong columns would be in an instance, or raw values.
- `get_related_populators`: the rows of select_related().
- `QuerySet._iterable_class`, `._prefetch_related_lookups`, `._known_related_objects`: what else a
  queryset would do with its rows.
- `BaseDatabaseWrapper.health_check_done`: so that no question is asked ahead of a statement. If it
  meant something else, each read would cost a question more, or none be asked after a lost one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.apps import apps
from django.db import InterfaceError, OperationalError, connections, models
from django.db.models.expressions import Expression
from django.db.models.query import (  # type: ignore[attr-defined]  # private: no stub has the last
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)

from finora.orm.statements import Statement

M = TypeVar("M")
# Columns whose binary form psycopg reads as Django expects. JSON and addresses it does not: for
# those Django has psycopg read the text.
READ_IN_BINARY = frozenset(
    {
        "BigAutoField", "BigIntegerField", "BinaryField", "BooleanField", "CharField", "DateField",
        "DateTimeField", "ForeignKey", "IntegerField", "PositiveBigIntegerField",
        "PositiveIntegerField", "SmallIntegerField", "TextField", "UUIDField",
    }
)  # fmt: skip


class Slot(Expression):
    """Stands in a queryset for a value that is given when it is run."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class _Query:
    """What is left of a queryset: its SQL, and what its rows become."""

    def __init__(self, queryset: Any, planned_once: bool, opened: bool) -> None:
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, self.params = compiler.as_sql()
        select, klass_info = compiler.select, compiler.klass_info
        converters = compiler.get_converters([s[0] for s in select[: compiler.col_count]])
        self.converters = [(at, *converters[at]) for at in converters]
        kinds = {column[0].output_field.get_internal_type() for column in select}
        # Or a search segment, or a sealed value, would come as text twice as large.
        is_binary = kinds <= READ_IN_BINARY
        self.statement = Statement(sql, binary=is_binary, planned_once=planned_once)
        self.model = None
        self.opened: list[tuple[Any, ...]] = []
        kind = queryset._iterable_class
        if kind not in (ModelIterable, ValuesListIterable):
            raise TypeError(f"A prepared query gives no rows of a {kind.__name__}.")
        if kind is ValuesListIterable:
            return
        if (
            compiler.annotation_col_map
            or queryset._prefetch_related_lookups
            or queryset._known_related_objects
        ):
            raise TypeError("A prepared query adds nothing to its rows but select_related().")
        columns = klass_info["select_fields"]
        self.start, self.end = columns[0], columns[-1] + 1
        self.names = [f[0].target.attname for f in select[self.start : self.end]]
        self.model = klass_info["model"]
        self.related = get_related_populators(klass_info, select, queryset.db)
        if opened:
            self._open(self.model._meta.concrete_fields)

    def _open(self, fields: Sequence[Any]) -> None:
        """Of the sealed ones, where they stand, and what they are sealed by."""
        places = {name: self.start + n for n, name in enumerate(self.names)}
        for field in fields:
            if not hasattr(field, "open_all"):
                continue
            read = [places.get(name) for name in (field.attname, "business_id", field.context)]
            if None not in read:
                self.opened.append((field.open_all, *read))
        sealed = {at for _, at, *_ in self.opened}
        self.converters = [each for each in self.converters if each[0] not in sealed]

    def _given(self, connection: Any, values: dict[str, Any]) -> list[Any]:
        return [
            param.output_field.get_db_prep_value(values[param.name], connection)
            if isinstance(param, Slot)
            else param
            for param in self.params
        ]

    def stream(
        self, connection: Any, values: dict[str, Any]
    ) -> Generator[tuple[Any, ...], None, None]:
        if self.model is not None:
            raise TypeError("A prepared query streams the rows of a values_list().")
        for row in self.statement.stream(connection, self._given(connection, values)):
            yield self._converted(row, connection)

    def run(self, connection: Any, values: dict[str, Any]) -> list[Any]:
        rows = self.statement.fetch(connection, self._given(connection, values))
        if self.opened and rows:
            columns: list[Any] = list(zip(*rows, strict=True))
            for open_all, at, business, context in self.opened:
                columns[at] = open_all(columns[at], columns[business], columns[context])
            rows = list(zip(*columns, strict=True))
        if self.converters:
            rows = [self._converted(row, connection) for row in rows]
        if self.model is None:
            return rows
        found = []
        for row in rows:
            instance = self.model.from_db(connection.alias, self.names, row[self.start : self.end])
            for populator in self.related:
                populator.populate(row, instance)
            found.append(instance)
        return found

    def _converted(self, row: Sequence[Any], connection: Any) -> tuple[Any, ...]:
        values = list(row)
        for at, converters, expression in self.converters:
            for convert in converters:
                values[at] = convert(values[at], expression, connection)
        return tuple(values)


class Prepared(Generic[M]):
    """A queryset of which only the values change: `rows(*shape, **values)` answers its rows,
    instances or the tuples of a values_list().

    An attribute of a manager's class: `build(queryset, *shape)` gets all rows of the manager's
    model and answers the queryset. Through a related manager it is the same query, so a business
    is one of its slots. Not of a manager, `build(*shape)` starts from a model itself.

    The shapes known are compiled by `prepare`, any other when it is first asked for.
    `planned_once` is for a query that has one good plan whatever its values: PostgreSQL keeps it.
    Any other is planned for its values, as a business may have three customers or a million.
    `opened` is for rows that are shown: what is sealed is opened column by column, and not when it
    is read. What can't be opened raises as ever, then.
    """

    every: ClassVar[list[Prepared[Any]]] = []

    def __init__(
        self,
        build: Callable[..., models.QuerySet[Any, M]],
        *shapes: tuple[Hashable, ...],
        planned_once: bool = False,
        opened: bool = False,
    ) -> None:
        self.build = build
        self.planned_once, self.opened = planned_once, opened
        self.shapes = shapes or ((),)
        self.manager: type[Any] | None = None
        self._queries: dict[tuple[Hashable, ...], _Query] = {}
        self._of_models: dict[type[models.Model], Prepared[M]] = {}
        self.every.append(self)

    def __set_name__(self, manager: type[Any], name: str) -> None:
        self.manager = manager

    def __get__(self, manager: Any, owner: type[Any]) -> Prepared[M]:
        return self if manager is None else self.of_model(manager.model)

    def of_model(self, model: type[models.Model]) -> Prepared[M]:
        """This query of a model, whose own manager has it."""
        found = self._of_models.get(model)
        if found is None:
            manager = next(each for each in model._meta.managers if self._is_of(each))
            found = Prepared(
                lambda *shape: self.build(manager.all(), *shape),
                *self.shapes,
                planned_once=self.planned_once,
                opened=self.opened,
            )
            self._of_models[model] = found
        return found

    def _is_of(self, manager: models.Manager[Any]) -> bool:
        return self.manager is not None and isinstance(manager, self.manager)

    def rows(self, *shape: Hashable, **values: Any) -> list[M]:
        connection = connections["default"]
        query = self._query(shape)
        if connection.in_atomic_block:
            return query.run(connection, values)
        # A read outside of a transaction learns by itself that a kept connection is gone, and is
        # asked again on a new one: that spares the question ahead of each request's first query.
        connection.health_check_done = True  # type: ignore[attr-defined]
        try:
            return query.run(connection, values)
        except (OperationalError, InterfaceError):
            if connection.connection is None or connection.is_usable():
                raise
            connection.close()
            return query.run(connection, values)

    def stream(self, *shape: Hashable, **values: Any) -> Generator[tuple[Any, ...], None, None]:
        """The rows of a values_list() one by one (see Statement.stream): to be closed."""
        return self._query(shape).stream(connections["default"], values)

    def _query(self, shape: tuple[Hashable, ...]) -> _Query:
        query = self._queries.get(shape)
        if query is None:
            query = self._queries[shape] = _Query(
                self.build(*shape), self.planned_once, self.opened
            )
        return query


def prepare() -> None:
    """Compiles all that can be known before a request comes."""
    for one in list(Prepared.every):
        if one.manager is None:
            of_models = [one]
        else:
            having = [m for m in apps.get_models() if any(map(one._is_of, m._meta.managers))]
            of_models = [one.of_model(model) for model in having]
        for prepared in of_models:
            for shape in prepared.shapes:
                prepared._query(shape)
