"""What the directory's own rules are answered with."""

from customers.querysets import CustomerInactive, EmailInUse
from finora.api.errors import ErrorKind, domain_errors

EMAIL_IN_USE = ErrorKind(
    409,
    "CONFLICT",
    "The email is in use by the active customer cust_xyz.",
    "an active customer of this business has that email; `details` names it",
    example="email",
)
CUSTOMER_INACTIVE = ErrorKind(
    409,
    "CONFLICT",
    "The customer is inactive and cannot be changed.",
    "the customer is inactive",
)
NOT_READY_FOR_E_INVOICE = ErrorKind(
    422,
    "BUSINESS_LOGIC_ERROR",
    "An e-invoice's party needs more than is known of this customer.",
    "the customer lacks what an e-invoice needs; `details` names each",
    example="tin",
)
NOT_A_FILE = ErrorKind(
    415,
    "INVALID_REQUEST",
    "Send the file as application/x-ndjson or text/csv.",
    "an import's body is neither `application/x-ndjson` nor `text/csv`",
)
FILE_TOO_LARGE = ErrorKind(
    413,
    "INVALID_REQUEST",
    "A body has at most 10485760 bytes.",
    "an import's body has more than 10 MB",
)

domain_errors(
    {
        EmailInUse: lambda error: EMAIL_IN_USE.of_field(
            "email", f"The email is in use by the active customer {error.public_id}."
        ),
        CustomerInactive: lambda error: CUSTOMER_INACTIVE(),
    }
)
