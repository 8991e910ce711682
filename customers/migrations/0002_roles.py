from django.db import migrations

from finora.orm import roles


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial"), *roles.DEPENDENCIES]

    operations = [
        roles.granting(
            "customers",
            {
                "Viewer": ["view_customer"],
                "Editor": [
                    "view_customer",
                    "add_customer",
                    "change_customer",
                    "delete_customer",
                ],
                "Privacy officer": [
                    "view_customer",
                    "reveal_customer",
                    "export_customer",
                    "erase_customer",
                    "hand_over_customer",
                ],
                "Administrator": [
                    "view_customer",
                    "add_customer",
                    "change_customer",
                    "delete_customer",
                ],
            },
        ),
    ]
