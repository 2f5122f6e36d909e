"""The tables, as numbered `.sql` files, and what applies them."""
