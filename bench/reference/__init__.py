"""What most people would build: Django REST framework's ModelViewSet over
django-encrypted-model-fields, as their documentations show them. The benchmark's yardstick.
"""
