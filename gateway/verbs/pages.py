"""How `check` and `plan` read a shell: from where, in which languages, and next to which fragments."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import gateway.look as look
from gateway.verbs.options import client, files_of, is_url, text_of

if TYPE_CHECKING:
    from gateway.trial.shells import Around, Shell

ALONE = "by itself; --manifest or --admin tell which fragments there are"
LANGUAGES = ("tailor", "esi", "ssi", "include")

Manifests = Annotated[
    list[str] | None,
    typer.Option(
        "--manifest", metavar="FILE", help="Manifests of the portal the shell is for; may be a pattern, and repeated."
    ),
]
Dialects = Annotated[
    str | None,
    typer.Option(
        metavar="LIST",
        help=f"Include languages to read the shell in, of {','.join(LANGUAGES)}.  [default: what its mount may speak]",
    ),
]
At = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Where the portal shows the page, such as /shop/home.  [default: /]"),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that say what is known of the portal."""

    manifests: Sequence[str] | None = None
    dialects: str | None = None
    at: str | None = None
    admin: str | None = None
    token: str = ""
    state: Path | None = None

    def languages(self, around: "Around") -> tuple[str, ...]:
        """Those that were asked for; else what the pages of its mount may speak."""
        if self.dialects is None:
            return around.mount.upstream.dialects if around.mount is not None else ()
        wanted = [each.strip().lower() for each in self.dialects.split(",") if each.strip()]
        if wrong := [each for each in wanted if each not in LANGUAGES]:
            raise typer.BadParameter(f"{wrong[0]!r} is none of {', '.join(LANGUAGES)}.", param_hint="--dialects")
        return tuple(each for each in LANGUAGES if each in wanted)

    def around(self, source: str) -> "Around":
        from dataclasses import replace

        import gateway.trial.shells as shells
        import gateway.trial.sources as sources

        if self.at is not None and not self.at.startswith("/"):
            raise typer.BadParameter(f"{self.at!r} is no path of the portal, such as /shop/home.", param_hint="--at")
        around = shells.NOWHERE
        if self.manifests:
            around = sources.declared({name: text_of(name) for name in files_of(self.manifests)})
        elif self.admin is not None:
            with client(self.admin, self.token, self.state) as registry:
                around = sources.served(registry.table(), registry.admin)
        at = self.at or (sources.shown_at(source, around.table) if is_url(source) else "/")
        return replace(around, at=at)


def is_page(name: str) -> bool:
    import gateway.trial.sources as sources

    return sources.is_page(name)


def read(source: str, asked: Asked) -> "Shell":
    import gateway.trial.sources as sources
    import gateway.trial.spoken as spoken

    around = asked.around(source)
    languages = asked.languages(around)
    page = sources.page(source, languages) if is_url(source) else sources.file(source)
    return spoken.read(page, around, languages)


def tell_remarks(shell: "Shell") -> None:
    if shell.remarks and shell.plan is not None:
        typer.echo()
    look.remarks(shell.source.name, shell.text.decode("utf-8", "replace"), shell.remarks)
