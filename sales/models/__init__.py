from sales.models.invoice import Invoice
from sales.models.receipt import Allocation, Receipt
from sales.numbers import NumberSeries

__all__ = ["Allocation", "Invoice", "NumberSeries", "Receipt"]
