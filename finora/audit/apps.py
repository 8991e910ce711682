from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "finora.audit"
    verbose_name = "Audit"
