from django.db import migrations

from finora.orm import roles


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), *roles.DEPENDENCIES]

    operations = [
        roles.granting(
            "audit",
            {
                "Privacy officer": ["view_auditevent"],
                "Administrator": ["view_auditevent"],
            },
        ),
    ]
