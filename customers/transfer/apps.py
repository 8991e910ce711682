from django.apps import AppConfig


class TransferConfig(AppConfig):
    name = "customers.transfer"
    verbose_name = "Imports"

    def ready(self) -> None:
        from customers.transfer import tasks  # noqa: F401 - it hears of tasks that failed
