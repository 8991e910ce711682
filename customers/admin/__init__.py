"""The staff's directory: plain Django admin over the querysets, without the API or any key."""

from django.contrib import admin

from customers.admin.customer import CustomerAdmin
from customers.admin.front_page import PANEL
from customers.admin.imports import ImportAdmin
from customers.models import Customer
from customers.transfer.models import Import
from finora.staff import front_page

admin.site.register(Customer, CustomerAdmin)
admin.site.register(Import, ImportAdmin)
front_page.register(PANEL)
