"""An address book whose pages are parts that htmx swaps: links, forms, searches and redirects without a reload."""
