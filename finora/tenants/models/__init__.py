"""Who the API serves: businesses, their keys, and which of them a member of staff reaches."""

from finora.tenants.models.api_key import ApiKey
from finora.tenants.models.business import Business
from finora.tenants.models.staff_scope import StaffBusiness

__all__ = ["ApiKey", "Business", "StaffBusiness"]
