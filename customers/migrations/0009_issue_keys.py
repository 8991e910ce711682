"""Issuing keys is a right of its own, as a key opens every value of its business.

Administrators have it no longer: who shall issue keys is put into the group "Key issuer". Privacy
officers see the keys that there are.
"""

from typing import Any

from django.db import migrations

NAME = "Can issue API keys, which open every value of their business"
GRANTS = {
    "Key issuer": ["view_business", "view_apikey", "issue_apikey"],
    "Privacy officer": ["view_apikey"],
}


def grant(apps: Any, schema_editor: Any) -> None:
    database = schema_editor.connection.alias
    types = apps.get_model("contenttypes", "ContentType").objects.using(database)
    groups = apps.get_model("auth", "Group").objects.using(database)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    keys, _ = types.get_or_create(app_label="customers", model="apikey")
    permissions.get_or_create(content_type=keys, codename="issue_apikey", defaults={"name": NAME})
    # Of rights that no page asks for nobody should think that they are withheld, or given.
    permissions.filter(content_type=keys, codename__in=["add_apikey", "delete_apikey"]).delete()
    for name, codenames in GRANTS.items():
        group, _ = groups.get_or_create(name=name)
        rights = permissions.filter(content_type__app_label="customers", codename__in=codenames)
        group.permissions.add(*rights)


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_refusals")]

    operations = [
        migrations.AlterModelOptions(
            name="apikey",
            options={
                "default_permissions": ("view", "change"),
                "permissions": [("issue_apikey", NAME)],
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
            },
        ),
        # Undone, nobody issues keys until a superuser says who does.
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
