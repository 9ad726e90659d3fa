"""Notebooks and the notes in them."""

from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse


class Notebook(models.Model):
    name = models.CharField(max_length=80)

    def __str__(self):
        return self.name


class Note(models.Model):
    notebook = models.ForeignKey(Notebook, on_delete=models.CASCADE)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, editable=False, null=True)
    title = models.CharField(max_length=80)
    day = models.DateField()
    text = models.TextField(blank=True)

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("note", args=[self.pk])
