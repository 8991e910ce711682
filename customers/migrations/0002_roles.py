"""Roles: four groups, their permissions, and whom a member of staff is limited to.

Groups add up: who administers and guards privacy is in both. Run again, this adds what is missing
and takes nothing away that was granted by hand.
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

SEE = ["view_business", "view_customer"]
EDIT = [*SEE, "add_customer", "change_customer", "delete_customer"]
ROLES = {
    "Viewer": SEE,
    "Editor": EDIT,
    "Privacy officer": [
        *SEE, "reveal_customer", "export_customer", "erase_customer", "view_auditevent",
    ],
    "Administrator": [
        *EDIT, "add_business", "change_business", "view_apikey", "add_apikey", "change_apikey",
        "view_auditevent",
    ],
}  # fmt: skip


def make_groups(apps: Any, schema_editor: Any) -> None:
    database = schema_editor.connection.alias
    # Django makes permissions after the last migration; these groups need theirs now.
    app = apps.get_app_config("customers")
    # Of an app as it was then, which has none, it would believe that it has no models.
    before, app.models_module = getattr(app, "models_module", None), True
    create_permissions(app, apps=apps, verbosity=0, using=database)
    app.models_module = before
    groups = apps.get_model("auth", "Group").objects.using(database)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    for name, codenames in ROLES.items():
        group, _ = groups.get_or_create(name=name)
        of_role = permissions.filter(content_type__app_label="customers", codename__in=codenames)
        group.permissions.add(*of_role)


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="customer",
            options={
                "permissions": [
                    ("reveal_customer", "Can reveal personal values of a customer"),
                    ("export_customer", "Can export customers"),
                    ("erase_customer", "Can erase a customer"),
                ]
            },
        ),
        migrations.CreateModel(
            name="StaffBusiness",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "business",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff",
                        to="customers.business",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="limited_to",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "limited to",
                "verbose_name_plural": "limited to",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "business"), name="staff_business_unique"
                    )
                ],
            },
        ),
        # Undone, the groups stay: they may have members.
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
