"""What stands between the network and Django's thread."""
