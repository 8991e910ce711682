"""Paths, with and without a trailing slash: a redirect would lose a POST's body."""

from django.urls import re_path

from customers.api import bulk, views

urlpatterns = [
    re_path(r"^v1/customers/?$", views.CustomersView.as_view(), name="customers"),
    re_path(r"^v1/customers/search/?$", views.SearchView.as_view(), name="customer-search"),
    re_path(
        r"^v1/customers/find-or-create/?$",
        views.FindOrCreateView.as_view(),
        name="customer-find-or-create",
    ),
    re_path(r"^v1/customers/export/?$", bulk.ExportView.as_view(), name="customer-export"),
    re_path(r"^v1/customers/import/?$", bulk.ImportCustomersView.as_view(), name="customer-import"),
    re_path(r"^v1/imports/(?P<id>[^/]+)/?$", bulk.ImportView.as_view(), name="import"),
    re_path(
        r"^v1/customers/(?P<id>[^/]+)/party/?$", views.PartyView.as_view(), name="customer-party"
    ),
    re_path(r"^v1/customers/(?P<id>[^/]+)/?$", views.CustomerView.as_view(), name="customer"),
]
