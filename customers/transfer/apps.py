from django.apps import AppConfig


class TransferConfig(AppConfig):
    name = "customers.transfer"
    verbose_name = "Imports"
