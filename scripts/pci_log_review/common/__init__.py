"""What every other package may use; it uses none of them."""
