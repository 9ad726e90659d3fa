"""What `portico` can be told: a file per kind of verb. Each imports what it needs when it runs."""
