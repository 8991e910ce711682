from django.db import migrations

from finora.orm import roles

READS = ["view_invoice", "view_receipt"]


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial"), *roles.DEPENDENCIES]

    operations = [
        roles.granting(
            "sales",
            {
                "Viewer": READS,
                "Editor": READS,
                "Privacy officer": READS,
                "Administrator": READS,
            },
        ),
    ]
