"""The data model. Every tenant's table has `business` first in its indexes and constraints."""

from customers.keyring import SealError
from customers.models.api_key import ApiKey
from customers.models.audit_event import AuditEvent
from customers.models.business import Business
from customers.models.customer import Customer
from customers.models.key_canary import KeyCanary, WrongKeys
from customers.models.refusal import Refusal
from customers.models.search_segment import SearchSegment
from customers.models.staff_business import StaffBusiness
from customers.models.staff_session import StaffSession
from customers.models.stored_answer import StoredAnswer

__all__ = [
    "ApiKey", "AuditEvent", "Business", "Customer", "KeyCanary", "Refusal", "SealError",
    "SearchSegment", "StaffBusiness", "StaffSession", "StoredAnswer", "WrongKeys",
]  # fmt: skip
