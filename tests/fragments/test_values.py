"""What a page may say of a request, escaped for the place it stands in."""

import json

import pytest

import fragments.values as values
from fragments.scan import attributes, tokens
from fragments.values import Asked, Marks, Variable

MARKS = Marks("0" * 16)


def written(template: str, *said: str) -> str:
    """The markup with each `@` a value."""
    text = template
    for number in range(len(said)):
        text = text.replace("@", MARKS.value(number).decode(), 1)
    source = text.encode()
    return values.write(source, list(tokens(source)), said, MARKS).text.decode()


EVIL = "\"'><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        pytest.param("<p>@", "a & <b>", "<p>a &amp; &lt;b&gt;", id="text"),
        pytest.param("<title>@</title>", "</title><b>", "<title>&lt;/title&gt;&lt;b&gt;</title>", id="a-title"),
        pytest.param('<a title="@">', 'x" onclick="y', '<a title="x&quot; onclick=&quot;y">', id="a-quoted-attribute"),
        pytest.param("<a title='@'>", "x' y", "<a title='x&#39; y'>", id="an-attribute-in-single-quotes"),
        pytest.param("<a title=@>", "x y=z", "<a title=x&#32;y&#61;z>", id="an-attribute-without-quotes"),
        pytest.param("<a @>", "onclick=x", "<a >", id="a-name-of-an-attribute-is-nothing"),
        pytest.param('<a @="x">', "onclick", '<a ="x">', id="a-name-before-a-value-is-nothing"),
        pytest.param("<!-- @ -->", "--><b>", "<!--     b  -->", id="a-comment-stays-one"),
        pytest.param('<script>f("@")</script>', '"</', '<script>f("\\u0022\\u003c\\u002f")</script>', id="a-script"),
        pytest.param("<script>f('@')</script>", "\U0001f600", "<script>f('\\ud83d\\ude00')</script>", id="in-pairs"),
        pytest.param(
            "<style>a{b:@}</style>", "</style>", "<style>a{b:\\00003c\\00002fstyle\\00003e}</style>", id="css"
        ),
        pytest.param('<p style="b:@">', 'u(";', '<p style="b:u\\000028\\000022\\00003b">', id="a-style-attribute"),
        pytest.param("<p onclick=\"f('@')\">", "')", "<p onclick=\"f('\\u0027\\u0029')\">", id="a-handler-is-script"),
        pytest.param('<a href="@">', "javascript:x", '<a href="">', id="a-link-runs-no-script"),
        pytest.param('<a href="@">', " java\nscript:x", '<a href="">', id="however-it-is-spelled"),
        pytest.param('<a href="@">', "data:text/html,x", '<a href="">', id="a-link-is-no-document-of-its-own"),
        pytest.param(
            '<a href="@">', "https://x.test/?a&b", '<a href="https://x.test/?a&amp;b">', id="a-link-leads-out"
        ),
        pytest.param('<a href="/x?q=@">', "a&b=/", '<a href="/x?q=a%26b%3D%2F">', id="in-a-url-it-is-percent-encoded"),
        pytest.param('<script src="@">', "//evil.test/x.js", '<script src="">', id="no-script-of-another-host"),
        pytest.param('<script src="@">', "\\\\evil.test/x", '<script src="">', id="nor-with-backslashes"),
        pytest.param('<script src="/@">', "/evil.test", '<script src="/%2Fevil.test">', id="nor-in-two-halves"),
        pytest.param('<iframe src="@">', "/own", '<iframe src="/own">', id="a-path-of-the-site-is-loaded"),
        pytest.param('<base href="@">', "https://evil.test/", '<base href="">', id="no-base-elsewhere"),
        pytest.param('<form action="@">', "javascript:x", '<form action="">', id="a-form"),
        pytest.param('<p hx-get="@">', "https://evil.test/", '<p hx-get="">', id="what-a-script-loads"),
        pytest.param('<iframe srcdoc="@">', "<b>", '<iframe srcdoc="&amp;lt;b&amp;gt;">', id="srcdoc-is-read-twice"),
        pytest.param("<@>", "script", "<>", id="a-name-of-an-element-is-nothing"),
    ],
)
def test_a_value_is_escaped_for_its_place(template: str, value: str, expected: str) -> None:
    assert written(template, value) == expected


PLACES = [
    "<p>@</p>",
    '<p title="@">',
    "<p title='@'>",
    "<p title=@ class=x>",
    "<p @>",
    '<p @="x">',
    "<p onclick='f(\"@\")'>",
    '<a href="@">',
    '<a href="/x/@">',
    '<svg><a xlink:href="@"></a><style>@</style><script>@</script></svg>',
    "<script>var a = '@';</script>",
    "<script>var a = `@`;</script>",
    "<script>var a = /@/;</script>",
    '<script type="application/json">{"a":"@"}</script>',
    "<style>a { background: url('@') }</style>",
    "<textarea>@</textarea>",
    "<title>@</title>",
    "<xmp>@</xmp>",
    "<noscript>@</noscript>",
    "<iframe>@</iframe>",
    "<!-- @ -->",
    "<!doctype @>",
    "<?pi @>",
    "</p @>",
    "<template>@</template>",
    "<select><option>@</option></select>",
    "<math><mi>@</mi></math>",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(EVIL, id="a-script"),
        pytest.param("</script></style></title></textarea></xmp><img src=x onerror=alert(1)>", id="an-end-tag"),
        pytest.param("--><img src=x onerror=alert(1)>", id="the-end-of-a-comment"),
        pytest.param("${alert(1)}`;\\", id="a-template-literal"),
        pytest.param(" onmouseover=alert(1) ", id="an-attribute"),
        pytest.param("javascript:alert(1)//", id="a-scheme"),
        pytest.param('<esi:include src="/x"/><!--#include virtual="/x" --><mf-slot name=x>', id="includes"),
    ],
)
def test_no_value_changes_the_markup_around_it(place: str, value: str) -> None:
    plain = written(place, *["x"] * place.count("@"))
    evil = written(place, *[value] * place.count("@"))
    assert shape(evil) == shape(plain)
    assert not any(opening in evil for opening in ("<esi:", "<!--#", "<mf-slot"))


def shape(text: str) -> list[tuple[int, bytes, list[bytes]]]:
    """The tags, and the names of their attributes."""
    source = text.encode()
    named = [[each.name for each in attributes(source, token)] if token.name else [] for token in tokens(source)]
    return [(token.kind, token.name, names) for token, names in zip(tokens(source), named, strict=True)]


def test_json_takes_a_script_value() -> None:
    said = written('<script type="application/json">{"a":"@"}</script>', 'a"\\\n\U0001f600</script>')
    assert json.loads(said.partition(">")[2].rpartition("<")[0]) == {"a": 'a"\\\n\U0001f600</script>'}


def test_values_together_are_no_longer_than_they_may() -> None:
    said = written("@" * 400, *["<" * values.LONGEST] * 400)
    assert len(said) <= values.ALL


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param(("/f?u=", Variable("HTTP_COOKIE", "u")), "/f?u=a%2F..%2Fb%26c", id="a-value-is-one-value"),
        pytest.param((Variable("HTTP_COOKIE", "u"),), "a%2F..%2Fb%26c", id="a-value-is-no-path"),
        pytest.param(("/f?", Variable("QUERY_STRING")), "/f?q=1&r=%2F", id="a-whole-query-stays-one"),
        pytest.param(("/", Variable("QUERY_STRING")), "/q%3D1%26r%3D%252F", id="but-in-a-path-it-is-text"),
    ],
)
def test_an_address_goes_where_it_was_written(template: values.Template, expected: str) -> None:
    said = {"HTTP_COOKIE": "a/../b&c", "QUERY_STRING": "q=1&r=%2F"}
    assert values.address(template, lambda variable: said[variable.name]) == expected


def test_what_is_asked_is_taken_apart() -> None:
    asked = Asked(url="/a/b?x=1%20&x=2&y=")
    assert (asked.path, asked.query) == ("/a/b", "x=1%20&x=2&y=")
    assert [asked.argument(name) for name in ("x", "y", "z")] == ["1 ", "", None]
