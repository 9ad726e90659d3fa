"""The root of a host, as `startproject` lays it out."""

from django.contrib import admin
from django.urls import include, path

from notes.views import NewNote, Notes, OneNote, counted, latest

urlpatterns = [
    path("", Notes.as_view(), name="notes"),
    path("new/", NewNote.as_view(), name="new"),
    path("latest/", latest, name="latest"),
    path("counted/", counted, name="counted"),
    path("<int:pk>/", OneNote.as_view(), name="note"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
]
