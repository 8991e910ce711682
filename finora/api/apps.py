from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "finora.api"
    verbose_name = "API"
