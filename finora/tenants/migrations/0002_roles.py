from django.db import migrations

from finora.tenants import roles


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial"), *roles.DEPENDENCIES]

    operations = [
        roles.granting(
            "tenants",
            {
                "Viewer": ["view_business"],
                "Editor": ["view_business"],
                "Privacy officer": ["view_business"],
                "Administrator": [
                    "view_business",
                    "add_business",
                    "change_business",
                    "view_apikey",
                    "add_apikey",
                    "change_apikey",
                ],
            },
        ),
    ]
