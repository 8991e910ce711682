"""What every page of staff stands on."""
