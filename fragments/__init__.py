"""HTML in, HTML out. Pure functions over bytes: no I/O, no async, no clock, and nothing of the gateway.

Mounted pages and shells are read by the source scanner (`scan`) and edited in place (`edit`, `urls`, `css`, `rewrite`);
only fragments are parsed into a tree, in context and within budgets.
"""
