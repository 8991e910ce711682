"""The staff's books: read only. What changes them goes through the API."""

from django.contrib import admin

from customers.models import Customer
from finora.staff import row_panels
from finora.staff.row_panels import RowPanel
from sales.admin import panel
from sales.admin.invoice import InvoiceAdmin
from sales.admin.receipt import ReceiptAdmin
from sales.models import Invoice, Receipt

admin.site.register(Invoice, InvoiceAdmin)
admin.site.register(Receipt, ReceiptAdmin)
row_panels.register(
    RowPanel(Customer, "sales.view_invoice", "admin/sales/invoices.html", panel.invoices)
)
row_panels.register(
    RowPanel(Customer, "sales.view_receipt", "admin/sales/receipts.html", panel.receipts)
)
