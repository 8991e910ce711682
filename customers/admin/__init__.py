"""The staff's directory: plain Django admin over the querysets, without the API or any key."""

from django.contrib import admin

from customers.admin.customer import CustomerAdmin
from customers.admin.front_page import PANEL
from customers.models import Customer
from finora.staff import front_page

admin.site.register(Customer, CustomerAdmin)
front_page.register(PANEL)
