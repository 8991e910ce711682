from django.contrib.admin.apps import AdminConfig


class DirectoryConfig(AdminConfig):
    """Django's admin, with the staff's directory as its site."""

    default_site = "finora.staff.site.DirectorySite"
