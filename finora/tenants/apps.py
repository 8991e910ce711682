from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "finora.tenants"
    verbose_name = "Businesses"
