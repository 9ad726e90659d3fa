"""A Django project as tutorials teach it: its own pages, accounts, forms and the admin, at the root of a host."""
