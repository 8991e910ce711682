from django.db import migrations

from finora.orm import roles


class Migration(migrations.Migration):
    dependencies = [("tasks", "0001_initial"), *roles.DEPENDENCIES]

    operations = [roles.granting("tasks", {"Administrator": ["view_queuedtask"]})]
