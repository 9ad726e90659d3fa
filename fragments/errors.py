"""What can go wrong with markup. A message says what, where, and what next; the caller decides what a viewer sees.

FragmentsError
├── OverBudget      more bytes, depth, tags or growth than a piece may cost
├── NotMarkup       an answer that is not HTML at all
└── Uncontained     no isolation keeps the piece from changing the page around it
"""


class FragmentsError(Exception):
    """The root of everything this package raises."""


class OverBudget(FragmentsError):
    """A piece would cost more to read than it may."""


class NotMarkup(FragmentsError):
    """An answer that was to be HTML and is something else."""


class Uncontained(FragmentsError):
    """A piece that no isolation can fence in at its place."""
