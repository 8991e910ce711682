"""The rooms of the platform that have tables, commands or pages, as Django's apps."""

from django.apps import AppConfig


class FinoraConfig(AppConfig):
    """The platform's commands and system checks."""

    name = "finora"

    def ready(self) -> None:
        from finora import checks  # noqa: F401 - registers them
