from __future__ import annotations

from django.conf import settings
from django.db import models

from finora.tenants.models.business import Business


class StaffBusiness(models.Model):
    """Limits a member of staff to a business (and to the others it has a row for).

    Without any row it reaches every business; see finora/orm/scope.py.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="limited_to"
    )
    business = models.ForeignKey(Business, on_delete=models.CASCADE, related_name="staff")

    class Meta:
        verbose_name = verbose_name_plural = "limited to"
        constraints = [
            # The form that lists them would show a second one as a choice of its own.
            models.UniqueConstraint(fields=["user", "business"], name="staff_business_unique"),
        ]

    def __str__(self) -> str:
        return str(self.business)
