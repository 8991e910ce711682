from django.db import migrations

from finora.orm import roles


class Migration(migrations.Migration):
    dependencies = [("transfer", "0001_initial"), *roles.DEPENDENCIES]

    operations = [
        roles.granting(
            "transfer",
            {
                "Editor": ["view_import", "import_customers", "undo_import"],
                "Privacy officer": ["view_import"],
                "Administrator": ["view_import", "import_customers", "undo_import"],
            },
        ),
    ]
