from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "finora.staff"
    verbose_name = "Staff"
