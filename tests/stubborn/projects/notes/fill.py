"""A database with something in it: run once before the first start."""

import datetime

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402

from notes.models import Note, Notebook  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
User.objects.create_superuser("ada", password="difference engine")
for name in ("Garden", "Kitchen"):
    notebook = Notebook.objects.create(name=name)
    for number in range(1, 9):
        Note.objects.create(
            notebook=notebook,
            title=f"{name} note {number}",
            day=datetime.date(2026, number, 1),
            text=f"What to remember of the {name.lower()}, {number}.",
        )
