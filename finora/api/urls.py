"""The platform's own endpoints, and what answers every path of the API that has none."""

from django.urls import re_path

from finora.api import key_views, views

urlpatterns = [
    re_path(r"^v1/api-keys/?$", key_views.ApiKeysView.as_view(), name="api-keys"),
    re_path(r"^v1/api-keys/(?P<id>[^/]+)/?$", key_views.ApiKeyView.as_view(), name="api-key"),
    re_path(r"^v1/usage/?$", key_views.UsageView.as_view(), name="usage"),
    re_path(
        r"^v(?P<version>[0-9][^/]*)(/[\s\S]*)?$",
        views.NoSuchPathView.as_view(),
        name="no-such-path",
    ),
]
