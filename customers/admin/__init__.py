"""The staff's directory: plain Django admin over the querysets, without the API or any key."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, User

from customers.admin.access import AttemptAdmin, FailureAdmin, LoginAdmin, RoleAdmin, StaffAdmin
from customers.admin.api_key import ApiKeyAdmin
from customers.admin.audit import AuditEventAdmin
from customers.admin.business import BusinessAdmin
from customers.admin.customer import CustomerAdmin
from customers.models import ApiKey, AuditEvent, Business, Customer

admin.site.register(Business, BusinessAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(Customer, CustomerAdmin)
admin.site.register(AuditEvent, AuditEventAdmin)
# Django's own pages of accounts and roles, closed; an account's with what it reaches.
admin.site.unregister([User, Group])
admin.site.register(User, StaffAdmin)
admin.site.register(Group, RoleAdmin)
admin.site.register(AccessAttempt, AttemptAdmin)
admin.site.register(AccessFailureLog, FailureAdmin)
admin.site.register(AccessLog, LoginAdmin)
