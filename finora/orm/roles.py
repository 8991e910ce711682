"""The four groups of staff, filled by each module's own migration.

Groups add up: who administers and guards privacy is in both. Run again, this adds what is missing
and takes nothing away that was granted by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

DEPENDENCIES = [
    ("auth", "0012_alter_user_first_name_max_length"),
    ("contenttypes", "0002_remove_content_type_name"),
]


def granting(app_label: str, roles: Mapping[str, Sequence[str]]) -> migrations.RunPython:
    """A migration's step that grants permissions of an app, named by code, to roles by name.

    Undone, the groups stay: they may have members.
    """
    return migrations.RunPython(_grant(app_label, roles), migrations.RunPython.noop)


def _grant(app_label: str, roles: Mapping[str, Sequence[str]]) -> Callable[[Any, Any], None]:
    def grant(apps: Any, schema_editor: Any) -> None:
        database = schema_editor.connection.alias
        # Django makes permissions after the last migration; these groups need theirs now.
        app = apps.get_app_config(app_label)
        # Of an app as it was then, which has none, it would believe that it has no models.
        before, app.models_module = getattr(app, "models_module", None), True
        create_permissions(app, apps=apps, verbosity=0, using=database)
        app.models_module = before
        groups = apps.get_model("auth", "Group").objects.using(database)
        permissions = apps.get_model("auth", "Permission").objects.using(database)
        for name, codenames in roles.items():
            group, _ = groups.get_or_create(name=name)
            of_role = permissions.filter(content_type__app_label=app_label, codename__in=codenames)
            group.permissions.add(*of_role)

    return grant
