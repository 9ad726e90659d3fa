"""`portico demo`: a portal of a few teams on one machine, each a child process, with one log and one end."""
