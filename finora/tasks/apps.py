from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "finora.tasks"
    verbose_name = "Tasks"

    def ready(self) -> None:
        from finora.tasks import metrics  # noqa: F401 - registers them
