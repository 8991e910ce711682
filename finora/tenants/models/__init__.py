"""Who the API serves: businesses, their keys, and the scope of a member of staff."""

from finora.tenants.models.api_key import ApiKey
from finora.tenants.models.business import Business
from finora.tenants.models.staff_scope import StaffScope

__all__ = ["ApiKey", "Business", "StaffScope"]
