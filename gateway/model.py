"""What teams declare: a manifest, strict, as Pydantic models.

Shapes and limits only. Whether manifests fit together (a mount's upstream exists, no two teams own one prefix) is said
by `registry.check`; what the data plane serves from is made of them by `table`.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SPOKEN = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def seconds(text: object) -> float:
    """A duration in seconds: "400ms", "2s", "5m", "1h", "1d", or a number of seconds."""
    if isinstance(text, bool):
        raise ValueError("a duration is a number with a unit, such as 400ms, 2s, 5m, 1h or 1d")
    if isinstance(text, (int, float)):
        return float(text)
    match = DURATION.fullmatch(str(text).strip())
    if match is None:
        raise ValueError("a duration is a number with a unit, such as 400ms, 2s, 5m, 1h or 1d")
    return float(match[1]) * UNITS[match[2]]


def spoken(seconds: float) -> str:
    """A duration as one says it: 500 ms, 30 s, 5 min, 1 d."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    size, unit = next((size, unit) for size, unit in SPOKEN if seconds >= size)
    return f"{seconds / size:g} {unit}" if (seconds / size * 10) % 1 == 0 else f"{seconds:g} s"


def origin(text: str) -> str:
    """`http://host[:port]`, `https://host[:port]` or `file:./folder`; nothing after the port."""
    if text.startswith("file:") and len(text) > len("file:"):
        return text
    if not re.fullmatch(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?/?", text):
        raise ValueError("an origin is scheme, host and port, such as http://hotels.internal:8000, or file:./folder")
    return text.rstrip("/")


def prefix(text: str) -> str:
    """A public path prefix: `/`, or segments of letters, digits and `-._~`, without a slash at the end."""
    if text == "/":
        return text
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text) or re.search(r"/\.{1,2}(/|$)", text):
        raise ValueError("a mount is / or a path such as /hotels, without a slash at the end")
    if text == "/-" or text.startswith("/-/"):
        raise ValueError("/-/ is kept for the gateway itself")
    return text


def path(text: str) -> str:
    """A path on an origin, with its query if it has one."""
    if not re.fullmatch(r"/[\x21-\x7e]*", text) or "#" in text or "\\" in text:
        raise ValueError("a path starts with / and holds printable ASCII only, such as /fragments/deals")
    return text


FRAGMENT = r"[a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9][a-z0-9_-]{0,62}){0,4}"


def alternative(text: str) -> str:
    """What is tried when a fragment fails: a path of the same upstream, or another fragment."""
    if text.startswith("/"):
        return path(text)
    if not re.fullmatch(FRAGMENT, text):
        raise ValueError("an alternative is a path such as /fragments/plain, or the name of another fragment")
    return text


LONGEST = 366 * 86400
# as editors are told: JSON Schema's patterns find a match anywhere, so this one says where it ends
DURATIONS = {
    "anyOf": [
        {"type": "string", "pattern": rf"^\s*{DURATION.pattern}\s*$"},
        {"type": "number", "minimum": 0, "maximum": LONGEST},
    ]
}

Duration = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=LONGEST), WithJsonSchema(DURATIONS)]
Origin = Annotated[str, AfterValidator(origin)]
Prefix = Annotated[str, AfterValidator(prefix)]
Path = Annotated[str, AfterValidator(path)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
FragmentName = Annotated[str, Field(pattern=rf"^{FRAGMENT}$")]
Alternative = Annotated[str, AfterValidator(alternative)]
POINTER = r"^(/([^/~]|~[01])*){1,32}$"  # RFC 6901, section 3
Pointer = Annotated[str, Field(pattern=POINTER, max_length=256)]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]


class Declared(BaseModel):
    """Everything a team writes: unknown keys are errors, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Release(Declared):
    """One deployed version of an upstream."""

    origins: list[Origin] = Field(min_length=1, max_length=64)
    weight: int = Field(default=1, ge=0, le=1000)


class Upstream(Declared):
    """A team's named application. `origins` is shorthand for one release named "stable"."""

    origins: list[Origin] = Field(default_factory=list, max_length=64)
    releases: dict[Name, Release] = Field(default_factory=dict)
    health: Path | None = None
    timeout: Duration = 10.0  # to the first byte of an answer; Node's and Go's proxies default to none, nginx to 60 s
    dialects: list[Literal["tailor", "esi", "ssi", "include"]] = Field(default_factory=list)

    @model_validator(mode="after")
    def names_its_origins_once(self) -> "Upstream":
        if bool(self.origins) == bool(self.releases):
            raise ValueError("an upstream has either origins or releases")
        return self


class Query(Declared):
    """Which queries are one and the same to an origin."""

    sort: bool = False
    ignore: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,64}\*?$")]] = Field(
        default_factory=list, max_length=64
    )


class Narrowing(Declared):
    """Of a field that answers vary by, what makes a difference."""

    languages: list[Annotated[str, Field(pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$")]] = Field(
        default_factory=list, max_length=64
    )
    cookies: list[FieldName] = Field(default_factory=list, max_length=8)
    device: bool = False


class CachePolicy(Declared):
    """How long answers are kept when the origin's own Cache-Control does not say, and which requests are alike."""

    ttl: Duration = 0.0
    stale_while_revalidate: Duration = 0.0
    stale_if_error: Duration = 0.0
    heuristic: bool = False
    negative: dict[Annotated[int, Field(ge=400, le=599)], Annotated[Duration, Field(le=300)]] = Field(
        default_factory=dict, max_length=32
    )
    reloads: Literal["obeyed", "ignored"] = "ignored"
    query: Query = Query()
    vary: Narrowing = Narrowing()
    tags: list[Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]] = Field(default_factory=list, max_length=32)


def kept(policy: CachePolicy | None) -> str:
    """How long answers are kept when their origin says nothing."""
    if policy is None:
        return "as its origin says"
    words = [spoken(policy.ttl)]
    if policy.stale_while_revalidate:
        words.append(f"{spoken(policy.stale_while_revalidate)} more while refreshed")
    if policy.stale_if_error:
        words.append(f"{spoken(policy.stale_if_error)} more on errors")
    return ", ".join(words)


class Forward(Declared):
    """What of the viewer's request a fragment's origin is shown."""

    headers: list[FieldName] = Field(default_factory=list, max_length=32)
    cookies: list[FieldName] = Field(default_factory=list, max_length=32)
    query: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(default_factory=list, max_length=32)


class Rewrite(Declared):
    """Which bodies of a mount are put below its prefix."""

    html: bool = True
    css: bool = True
    manifests: bool = True
    json_pointers: list[Pointer] = Field(default_factory=list, max_length=64)


class Navigation(Declared):
    """How viewers move between the pages of a mount that composes."""

    transitions: bool = False  # one page fades into the next (CSS View Transitions, level 2)
    prefetch: Literal["off", "conservative", "moderate", "eager"] = "off"  # the eagerness of speculation rules
    soft: bool = False  # only slots that change are fetched, where the shell stays the same


class Mount(Declared):
    """A public path prefix served by an upstream, prefix stripped."""

    upstream: Name
    aware: Literal["unaware", "aware", "auto"] = "unaware"
    composes: bool | Literal["asked"] = False  # asked: the pages that say so, by Surrogate-Control
    links_to: list[Prefix] = Field(default_factory=list, max_length=64)
    cookies: list[FieldName] = Field(default_factory=list, max_length=64)
    hosts: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")]] = Field(default_factory=list, max_length=64)
    cache: CachePolicy | None = None
    deadline: Duration | None = None
    runtime: Literal["on", "off"] = "on"
    router: Literal["auto", "none", "base", "flip"] = "auto"
    rewrite: Rewrite = Rewrite()
    spa_fallback: Path | None = None
    navigation: Navigation = Navigation()

    @model_validator(mode="before")
    @classmethod
    def switches_are_words(cls, value: Any) -> Any:
        """YAML 1.1 readers turn `runtime: on` into true; both spellings mean the same."""
        if isinstance(value, dict) and isinstance(value.get("runtime"), bool):
            return {**value, "runtime": "on" if value["runtime"] else "off"}
        return value


class Fragment(Declared):
    """A named piece of HTML a team serves for others' pages."""

    upstream: Name
    path: Path
    timeout: Duration = 1.0  # a page's slot waits no longer; Tailor waits 3 s, Podium 1 s
    cache: CachePolicy | None = None
    isolation: Literal["none", "scope", "shadow", "iframe"] = "none"
    alternative: Alternative | None = None  # a path of the same upstream, or another fragment
    composes: bool = False
    ids: Literal["keep", "prefix"] = "keep"  # prefix: its ids, and what refers to them, begin with its name
    forward: Forward = Forward()


class Manifest(Declared):
    """All that one team registers."""

    team: Name
    upstreams: dict[Name, Upstream] = Field(default_factory=dict, max_length=256)
    mounts: dict[Prefix, Mount] = Field(default_factory=dict, max_length=1024)
    fragments: dict[FragmentName, Fragment] = Field(default_factory=dict, max_length=4096)
