from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.viewsets import ModelViewSet

from bench.reference.models import Customer


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    id = serializers.CharField(source="public_id", read_only=True)
    companyName = serializers.CharField(source="company_name", allow_null=True)
    accountBalanceKobo = serializers.IntegerField(source="account_balance_kobo", read_only=True)
    accountBalance = serializers.SerializerMethodField()
    isActive = serializers.BooleanField(source="is_active", read_only=True)
    createdAt = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = Customer
        fields = [
            *("id", "name", "email", "phone", "address", "tin", "companyName"),
            *("accountBalanceKobo", "accountBalance", "isActive", "createdAt"),
        ]

    def get_accountBalance(self, customer: Customer) -> Decimal:
        return Decimal(customer.account_balance_kobo) / 100


class ByName(CursorPagination):
    """The kindest of the built-in ones here: the others count all customers for each page."""

    page_size = 50
    ordering = ("name", "id")


class CustomerViewSet(ModelViewSet[Customer]):
    queryset = Customer.objects.filter(is_active=True)
    serializer_class = CustomerSerializer
    pagination_class = ByName
    lookup_field = "public_id"

    def get_queryset(self) -> QuerySet[Customer]:
        user: Any = self.request.user
        return super().get_queryset().filter(business_id=user.business_id)
