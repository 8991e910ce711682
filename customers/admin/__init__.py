"""The staff's directory: plain Django admin over the querysets, without the API or any key."""

from django.contrib import admin
from django.contrib.auth.models import User

from customers.admin.access import StaffAdmin
from customers.admin.api_key import ApiKeyAdmin
from customers.admin.audit import AuditEventAdmin
from customers.admin.business import BusinessAdmin
from customers.admin.customer import CustomerAdmin
from customers.models import ApiKey, AuditEvent, Business, Customer

admin.site.register(Business, BusinessAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(Customer, CustomerAdmin)
admin.site.register(AuditEvent, AuditEventAdmin)
# Django's own page of accounts, with what each one reaches.
admin.site.unregister(User)
admin.site.register(User, StaffAdmin)
