"""What the product is measured beside: two APIs over one table, which Django's models lay out.

What most people would build: REST framework's ModelViewSet over django-encrypted-model-fields, as
their documentations show them. And `fastapi_app`, what one builds who has to be fast. Both do less
than the product: no rate limits, audit, search, suspensions, request ids or metering of calls.
"""
