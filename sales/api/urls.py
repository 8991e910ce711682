"""Paths, with and without a trailing slash: a redirect would lose a POST's body."""

from django.urls import re_path

from sales.api import views

urlpatterns = [
    re_path(r"^v1/invoices/?$", views.InvoicesView.as_view(), name="invoices"),
    re_path(r"^v1/invoices/(?P<id>[^/]+)/?$", views.InvoiceView.as_view(), name="invoice"),
    re_path(r"^v1/receipts/?$", views.ReceiptsView.as_view(), name="receipts"),
    re_path(r"^v1/receipts/(?P<id>[^/]+)/?$", views.ReceiptView.as_view(), name="receipt"),
]
