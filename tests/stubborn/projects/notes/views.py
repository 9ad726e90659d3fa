"""Generic views, a page for members only, and an absolute redirect."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Count
from django.http import HttpResponseRedirect, JsonResponse
from django.views.generic import CreateView, DetailView, ListView

from notes.models import Note, Notebook


class Notes(ListView):
    paginate_by = 5

    def get_queryset(self):
        return Note.objects.filter(title__icontains=self.request.GET.get("q", "")).order_by("pk")


class OneNote(DetailView):
    model = Note


class NewNote(LoginRequiredMixin, CreateView):
    model = Note
    fields = ["notebook", "title", "day", "text"]

    def form_valid(self, form):
        form.instance.owner = self.request.user
        messages.success(self.request, f"“{form.instance.title}” is written down.")
        return super().form_valid(form)


def latest(request):
    """With scheme and host, as older applications redirect."""
    return HttpResponseRedirect(request.build_absolute_uri(Note.objects.latest("pk").get_absolute_url()))


def counted(request):
    counts = Notebook.objects.annotate(notes=Count("note")).order_by("pk")
    return JsonResponse({"counts": [[notebook.name, notebook.notes] for notebook in counts]})
