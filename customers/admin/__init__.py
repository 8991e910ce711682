"""The staff's directory: plain Django admin over the querysets, without the API or any key."""

from django.contrib import admin

from customers.admin.customer import CustomerAdmin
from customers.models import Customer

admin.site.register(Customer, CustomerAdmin)
