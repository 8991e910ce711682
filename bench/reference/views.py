from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ModelViewSet

from bench.reference.models import Customer, email_hash


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


class WantedSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    name = serializers.CharField(max_length=200, required=False)
    phone = serializers.CharField(max_length=32, required=False)


class ByName(CursorPagination):
    """The kindest of the built-in ones here: the others count all customers for each page."""

    page_size = 50
    ordering = ("name", "public_id")


class CustomerViewSet(ModelViewSet[Customer]):
    queryset = Customer.objects.filter(is_active=True)
    serializer_class = CustomerSerializer
    pagination_class = ByName
    lookup_field = "public_id"

    def get_queryset(self) -> QuerySet[Customer]:
        user: Any = self.request.user
        return super().get_queryset().filter(business_id=user.business_id)

    @action(detail=False, methods=["post"], url_path="find-or-create")
    def find_or_create(self, request: Request) -> Response:
        wanted = WantedSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        user: Any = request.user
        email = wanted.validated_data["email"].lower()
        customer, made = Customer.objects.get_or_create(
            business_id=user.business_id,
            email_hash=email_hash(email),
            is_active=True,
            defaults={
                "public_id": f"cust_{uuid4().hex}",
                "email": email,
                "name": wanted.validated_data.get("name") or email.partition("@")[0],
                "phone": wanted.validated_data.get("phone"),
                "created_at": timezone.now(),
            },
        )
        return Response({"id": customer.public_id, "created": made}, 201 if made else 200)
