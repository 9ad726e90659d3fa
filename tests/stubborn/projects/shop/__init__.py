"""A Flask application with sessions, messages and redirects of every kind, at the root of a host."""
