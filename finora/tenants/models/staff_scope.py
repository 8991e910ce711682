from __future__ import annotations

from django.conf import settings
from django.db import models

from finora.orm.scope import EVERYTHING, Scope
from finora.tenants.models.business import Business


class StaffScopeManager(models.Manager["StaffScope"]):
    def scope_of(self, user_id: int) -> Scope:
        """What stands here for this account, in one query; nothing where there is no row."""
        rows = self.filter(user_id=user_id).values_list("all_businesses", "businesses")
        given = list(rows)  # one for each business; one with None where there is no business
        if any(is_all for is_all, _ in given):
            return EVERYTHING
        return Scope.of(business_id for _, business_id in given if business_id is not None)


class StaffScope(models.Model):
    """The businesses that a member of staff reaches. Without a row, or with an empty one: none.

    It has no permissions, so nobody can be allowed to set it: superusers do. Superusers
    themselves reach all, whatever stands here; see finora.tenants.scope.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="scope"
    )
    all_businesses = models.BooleanField(
        default=False, help_text="Those that are made later too, whatever is chosen below."
    )
    businesses = models.ManyToManyField(Business, blank=True, related_name="scopes")

    objects = StaffScopeManager()

    class Meta:
        verbose_name = verbose_name_plural = "scope"
        default_permissions = ()

    def __str__(self) -> str:
        return f"scope of account {self.user_id}"
