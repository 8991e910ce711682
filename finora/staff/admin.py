"""The platform's own pages: businesses, keys, the audit trail, accounts of staff."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django_tasks_db.models import DBTaskResult

from finora.audit.models import AuditEvent
from finora.staff import front_page, panels
from finora.staff.accounts import AttemptAdmin, FailureAdmin, LoginAdmin, RoleAdmin, StaffAdmin
from finora.staff.api_key import ApiKeyAdmin
from finora.staff.audit import AuditEventAdmin
from finora.staff.business import BusinessAdmin
from finora.staff.tasks import TaskAdmin
from finora.tasks.models import QueuedTask
from finora.tenants.models import ApiKey, Business

admin.site.register(Business, BusinessAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(AuditEvent, AuditEventAdmin)
# Django's own pages of accounts and roles, closed; an account's with what it reaches.
admin.site.unregister([User, Group])
admin.site.register(User, StaffAdmin)
admin.site.register(Group, RoleAdmin)
admin.site.register(AccessAttempt, AttemptAdmin)
admin.site.register(AccessFailureLog, FailureAdmin)
admin.site.register(AccessLog, LoginAdmin)
# Long work, without the arguments.
admin.site.unregister(DBTaskResult)
admin.site.register(QueuedTask, TaskAdmin)

front_page.register(panels.KEYS)
front_page.register(panels.EVENTS)
