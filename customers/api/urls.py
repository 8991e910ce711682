"""Paths, with and without a trailing slash: a redirect would lose a POST's body."""

from django.urls import re_path

from customers.api import views
from finora.api import key_views, views

urlpatterns = [
    re_path(r"^v1/customers/?$", views.CustomersView.as_view(), name="customers"),
    re_path(r"^v1/customers/search/?$", views.SearchView.as_view(), name="customer-search"),
    re_path(
        r"^v1/customers/find-or-create/?$",
        views.FindOrCreateView.as_view(),
        name="customer-find-or-create",
    ),
    re_path(r"^v1/customers/(?P<id>[^/]+)/?$", views.CustomerView.as_view(), name="customer"),
    re_path(r"^v1/api-keys/?$", key_views.ApiKeysView.as_view(), name="api-keys"),
    re_path(r"^v1/api-keys/(?P<id>[^/]+)/?$", key_views.ApiKeyView.as_view(), name="api-key"),
    re_path(r"^v1/usage/?$", key_views.UsageView.as_view(), name="usage"),
    re_path(r"^v(?P<version>[0-9][^/]*)(/[\s\S]*)?$", views.ElsewhereView.as_view()),
]
