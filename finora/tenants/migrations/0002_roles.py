from django.db import migrations

from finora.orm import roles


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial"), *roles.DEPENDENCIES]

    operations = [
        roles.granting(
            "tenants",
            {
                "Viewer": ["view_business"],
                "Editor": ["view_business"],
                "Privacy officer": ["view_business", "view_apikey"],
                "Administrator": [
                    "view_business",
                    "add_business",
                    "change_business",
                    "view_apikey",
                    "change_apikey",
                ],
                # A key opens every value of its business: a right of its own.
                "Key issuer": ["view_business", "view_apikey", "issue_apikey"],
            },
        ),
    ]
