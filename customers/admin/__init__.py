"""The staff's directory: plain Django admin over the querysets, without the API or any key."""

from django.contrib import admin

from customers.admin.api_key import ApiKeyAdmin
from customers.admin.business import BusinessAdmin
from customers.admin.customer import CustomerAdmin
from customers.models import ApiKey, Business, Customer

admin.site.site_header = admin.site.site_title = "Finora directory"
admin.site.index_title = "Directory"
admin.site.site_url = None
admin.site.enable_nav_sidebar = False  # the lists need the width

admin.site.register(Business, BusinessAdmin)
admin.site.register(ApiKey, ApiKeyAdmin)
admin.site.register(Customer, CustomerAdmin)
