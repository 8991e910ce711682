"""How dates are written on the staff's pages: named by FORMAT_MODULE_PATH."""
