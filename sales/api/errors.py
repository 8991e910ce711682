"""What the books' own rules are answered with."""

from finora.api import errors
from finora.api.errors import ErrorKind, domain_errors
from sales.errors import BooksRefuse, NotValid

BUSINESS_LOGIC_ERROR = ErrorKind(
    422,
    "BUSINESS_LOGIC_ERROR",
    "More is allocated to an invoice than is due.",
    "well-formed, but the books do not allow it; `details` names the field",
    example="allocations",
)
# Fields as the books name them, where a body has another name for it.
NAMES = {
    "customer_id": "customerId",
    "invoice_date": "invoiceDate",
    "due_date": "dueDate",
    "lines": "lineItems",
    "vat_rate": "vatRate",
}

domain_errors(
    {
        NotValid: lambda error: errors.VALIDATION_ERROR(
            details=[{"field": NAMES.get(error.field, error.field), "message": error.message}]
        ),
        BooksRefuse: lambda error: BUSINESS_LOGIC_ERROR.of_field(
            NAMES.get(error.field, error.field), error.message
        ),
    }
)
