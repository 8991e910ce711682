"""Paths, with and without a trailing slash: a redirect would lose a POST's body.

They end with `\\Z`, as `$` would also take a line break behind them.
"""

from django.urls import re_path

from customers.api import key_views, views

urlpatterns = [
    re_path(r"^v1/customers/?\Z", views.CustomersView.as_view(), name="customers"),
    re_path(r"^v1/customers/search/?\Z", views.SearchView.as_view(), name="customer-search"),
    re_path(
        r"^v1/customers/find-or-create/?\Z",
        views.FindOrCreateView.as_view(),
        name="customer-find-or-create",
    ),
    re_path(r"^v1/customers/(?P<id>[^/]+)/?\Z", views.CustomerView.as_view(), name="customer"),
    re_path(r"^v1/api-keys/?\Z", key_views.ApiKeysView.as_view(), name="api-keys"),
    re_path(r"^v1/api-keys/(?P<id>[^/]+)/?\Z", key_views.ApiKeyView.as_view(), name="api-key"),
    re_path(r"^v1/usage/?\Z", key_views.UsageView.as_view(), name="usage"),
    re_path(r"^v(?P<version>[0-9][^/]*)(/[\s\S]*)?\Z", views.ElsewhereView.as_view()),
]
