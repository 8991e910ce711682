"""Which request this is, and whose address it came from, for what is counted by address."""

from __future__ import annotations

import base64
import os
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

request_id: ContextVar[str] = ContextVar("request_id", default="")


def new_request_id() -> str:
    """80 random bits: `req_` and 16 lower-case letters and digits."""
    return "req_" + base64.b32encode(os.urandom(10)).decode().lower()


def client_address(request: HttpRequest) -> str | None:
    """The client's address, or of IPv6 the first of its /64: one host has all of that to call from.

    None when there is none that can be read.
    """
    if settings.BEHIND_PROXY:
        # The last entry is the proxy's own; what stands before it, a client can make up.
        text = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    else:
        text = request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:  # how a server that listens on both names an IPv4 caller
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False).network_address)
