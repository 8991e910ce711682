from axes.apps import AppConfig as AxesConfig
from django.contrib.admin.apps import AdminConfig


class DirectoryConfig(AdminConfig):
    """Django's admin, with the staff's directory as its site."""

    default_site = "finora.staff.site.DirectorySite"


class LoginsConfig(AxesConfig):
    """django-axes, under a name that staff understand."""

    verbose_name = "Logins"
