from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "Directory"

    def ready(self) -> None:
        from customers import metrics, readiness  # noqa: F401 - they register their queries
