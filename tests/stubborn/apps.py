"""Applications in Python that own the root of their host, each as its package ships it.

They run in an environment of their own, `.dev/apps`, which `./dev test --long` fills from `requirements/apps.lock`.
Each start is a fresh process with fresh state, so that what was done at one base does not show at another.
"""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.kit.ports import free_port
from tests.kit.process import running
from tests.stubborn import journeys
from tests.stubborn.crawl import App

ROOT = Path(__file__).parents[2]
PROJECTS = Path(__file__).parent / "projects"
BIN = ROOT / ".dev" / "apps" / "bin"
LONGEST_START = 60.0  # a notebook server on a small machine, its modules not yet compiled


class NoApps(Exception):
    """Says what is missing and what to do."""


def command(name: str) -> str:
    """A program of the applications' own environment."""
    path = BIN / name
    if not path.exists():
        raise NoApps(f"{path} is missing. Run ./dev test --long, which fills {BIN.parent} from requirements/apps.lock.")
    return str(path)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Nothing of the machine's user: state, caches and settings stay in the folder."""
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(folder), "PYTHONPATH": str(PROJECTS), "PYTHONDONTWRITEBYTECODE": "1", **more}


@contextmanager
def served(folder: Path, *words: str, **more: str) -> Iterator[str]:
    """Runs a command with PORT put in, until the block ends; yields its origin."""
    port = free_port()
    told = [word.replace("PORT", str(port)) for word in words]
    env = environment(folder, **more)
    with running(command(told[0]), *told[1:], port=port, cwd=folder, env=env, timeout=LONGEST_START):
        yield f"http://127.0.0.1:{port}"


def _run(*words: str, env: dict[str, str]) -> None:
    """What has to be made before an application can start."""
    subprocess.run([command(words[0]), *words[1:]], env={**os.environ, **env}, check=True, timeout=LONGEST_START)


@contextmanager
def start_datasette(folder: Path) -> Iterator[str]:
    path = folder / "garden.db"
    _fill(path)
    settings = ("--setting", "default_page_size", "10", "--setting", "num_sql_threads", "1")
    with served(folder, "datasette", "serve", str(path), "--host", "127.0.0.1", "--port", "PORT", *settings) as origin:
        yield origin


def _fill(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            create table bed (id integer primary key, name text);
            create table plant (
                id integer primary key, name text, kind text, bed integer references bed(id), height real
            );
            create virtual table plant_fts using fts5(name, kind, content="plant", content_rowid=id);
            create view tall as select * from plant where height > 100;
            """
        )
        database.executemany("insert into bed values (?, ?)", [(1, "South bed"), (2, "North bed")])
        kinds = ("herb", "shrub", "tree")
        plants = [(n, f"Plant {n}", kinds[n % 3], n % 2 + 1, n * 7.5) for n in range(1, 31)]
        database.executemany("insert into plant values (?, ?, ?, ?, ?)", plants)
        database.execute("insert into plant_fts (rowid, name, kind) select id, name, kind from plant")
    database.close()


@contextmanager
def start_notes(folder: Path) -> Iterator[str]:
    env = {"DJANGO_SETTINGS_MODULE": "notes.settings", "NOTES_STATE": str(folder)}
    _run("python", "-m", "notes.fill", env=environment(folder, **env))
    with served(folder, "django-admin", "runserver", "--noreload", "127.0.0.1:PORT", **env) as origin:
        yield origin


@contextmanager
def start_shop(folder: Path) -> Iterator[str]:
    with served(folder, "flask", "--app", "shop.app", "run", "--host", "127.0.0.1", "--port", "PORT") as origin:
        yield origin


def start_contacts(script: str) -> Callable[[Path], AbstractContextManager[str]]:
    """The address book with one version of htmx."""

    @contextmanager
    def start(folder: Path) -> Iterator[str]:
        words = ("flask", "--app", "contacts.app", "run", "--host", "127.0.0.1", "--port", "PORT")
        with served(folder, *words, CONTACTS_HTMX=script) as origin:
            yield origin

    return start


@contextmanager
def start_manual(folder: Path) -> Iterator[str]:
    built = folder / "html"
    _run("python", "-m", "sphinx", "-q", "-b", "html", str(PROJECTS / "manual"), str(built), env=environment(folder))
    with served(folder, "python", "-m", "http.server", "PORT", "--bind", "127.0.0.1", "-d", str(built)) as origin:
        yield origin


@contextmanager
def start_lab(folder: Path) -> Iterator[str]:
    home = folder / "notebooks"
    home.mkdir()
    (home / "first.ipynb").write_text(json.dumps(_notebook("sum(range(10))", "print('x' * 3)")))
    (home / "readme.md").write_text("# Read me\n\nA [link](first.ipynb).\n")
    told = {
        "IdentityProvider.token": "open-sesame",
        "ServerApp.root_dir": str(home),
        "ServerApp.open_browser": "False",
        "ServerApp.port": "PORT",
        "ServerApp.port_retries": "0",
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.allow_root": "True",
        "LabApp.core_mode": "True",  # without what other packages of the environment would add to it
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    words = [f"--{key}={value}" for key, value in told.items()]
    with served(folder, "jupyter-lab", *words, SHELL="/bin/sh") as origin:
        yield origin


@contextmanager
def start_board(folder: Path) -> Iterator[str]:
    with served(folder, "flask", "--app", "board.app:server", "run", "--host", "127.0.0.1", "--port", "PORT") as origin:
        yield origin


@contextmanager
def start_figures(folder: Path) -> Iterator[str]:
    """Without a first-start question, and without sending anybody figures of its own."""
    told = ("--server.headless", "true", "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none")
    words = ("run", str(PROJECTS / "figures" / "app.py"), "--server.address", "127.0.0.1", "--server.port", "PORT")
    with served(folder, "streamlit", *words, *told) as origin:
        yield origin


@contextmanager
def start_handbook(folder: Path) -> Iterator[str]:
    built = folder / "html"
    settings = str(PROJECTS / "handbook" / "mkdocs.yml")
    _run("mkdocs", "build", "-q", "-f", settings, "-d", str(built), env=environment(folder))
    with served(folder, "python", "-m", "http.server", "PORT", "--bind", "127.0.0.1", "-d", str(built)) as origin:
        yield origin


def _notebook(*cells: str) -> dict[str, object]:
    code: list[dict[str, object]] = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
        for n, cell in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


APPS = (
    App("dash", "Dash", start_board, journeys.board, mount={"router": "flip"}),
    App(
        "datasette",
        "Datasette",
        start_datasette,
        journeys.datasette,
        mount={
            "rewrite": {"json_pointers": ["/suggested_facets/*/toggle_url", "/facet_results/*/toggle_url", "/next_url"]}
        },
        volatile=(r"[\d.]+ms", r"(?<=query_ms\": )[\d.]+"),
    ),
    App(
        "django",
        "Django: pages, accounts, the admin",
        start_notes,
        journeys.notes,
        volatile=(r"\b\d+ (?:seconds?|minutes?)\b", r"(?:salt|hash): \S+"),
        avoided=r"logout|/delete/|jsi18n",
    ),
    App("flask", "Flask: sessions and redirects", start_shop, journeys.shop, avoided=r"^/soon|^/logout"),
    App("htmx-2", "htmx 2", start_contacts("htmx-2.min.js"), journeys.contacts),
    App("htmx-4", "htmx 4", start_contacts("htmx-4.min.js"), journeys.contacts),
    App("jupyterlab", "JupyterLab: kernels over WebSockets", start_lab, journeys.lab, avoided=r"logout", most_pages=0),
    App("mkdocs", "Material for MkDocs", start_handbook, journeys.handbook),
    App("sphinx", "Sphinx: a manual with search", start_manual, journeys.manual),
    App("streamlit", "Streamlit", start_figures, journeys.figures, most_pages=0),
)
