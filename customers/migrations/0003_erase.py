from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="erased_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="erased"
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at", None),
                    models.Q(
                        ("address__isnull", True),
                        ("company_name__isnull", True),
                        ("is_active", False),
                        ("name", "Erased customer"),
                        ("phone__isnull", True),
                        ("phone_hash__isnull", True),
                        ("tin__isnull", True),
                        ("tin_hash__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="customer_erased_is_empty",
            ),
        ),
    ]
