"""The admin, with what makes it ask for more pages: search, filters, hierarchy, pop-ups and autocompletion."""

from django.contrib import admin

from notes.models import Note, Notebook


@admin.register(Notebook)
class NotebookAdmin(admin.ModelAdmin):
    search_fields = ["name"]


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["title", "notebook", "day"]
    list_filter = ["notebook"]
    search_fields = ["title", "text"]
    date_hierarchy = "day"
    autocomplete_fields = ["notebook"]
