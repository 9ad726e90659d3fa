"""What things for a head are as hints."""

import pytest

import gateway.proxy.hints as hints
from fragments.head import HeadItem


@pytest.mark.parametrize(
    ("kind", "html", "link"),
    [
        ("stylesheet", '<link rel="stylesheet" href="/a.css">', '</a.css>; rel=preload; as="style"'),
        (
            "stylesheet",
            '<link rel="stylesheet" href="/a.css?x&amp;y" media="print">',
            '</a.css?x&y>; rel=preload; as="style"; media="print"',
        ),
        ("module", '<script type="module" src="/m.js"></script>', "</m.js>; rel=modulepreload"),
        (
            "module",
            '<script type="module" src="/m.js" crossorigin integrity="sha256-x"></script>',
            '</m.js>; rel=modulepreload; crossorigin; integrity="sha256-x"',
        ),
        (
            "preload",
            '<link rel="preload" href="/f.woff2" as="font" type="font/woff2" crossorigin="">',
            '</f.woff2>; rel=preload; as="font"; crossorigin; type="font/woff2"',
        ),
        ("preload", '<link rel="preload" href="/f">', ""),
        ("preconnect", '<link rel="preconnect" href="https://cdn.test">', "<https://cdn.test>; rel=preconnect"),
        ("style", "<style>a{}</style>", ""),
        ("meta", '<meta name="x" content="y">', ""),
        ("importmap", "{}", ""),
        ("stylesheet", '<link rel="stylesheet" href="/a>b.css">', ""),
        ("stylesheet", '<link rel="stylesheet" href="/&#10;set-cookie: a">', ""),
        ("stylesheet", '<link rel="stylesheet" href="/é.css">', ""),
        ("stylesheet", '<link rel="stylesheet" href="/a.css" media="&#13;x">', '</a.css>; rel=preload; as="style"'),
        ("stylesheet", '<link rel="stylesheet">', ""),
    ],
)  # fmt: skip
def test_link(kind: str, html: str, link: str) -> None:
    assert hints.link(((HeadItem(kind, "k", html.encode()),),)) == link.encode()


def test_each_once_and_in_order() -> None:
    one, two = (HeadItem("module", n, f'<script type="module" src="/{n}.js"></script>'.encode()) for n in "ab")
    assert hints.link(((one, two), (two, one))) == b"</a.js>; rel=modulepreload, </b.js>; rel=modulepreload"


def test_a_head_does_not_grow_without_end() -> None:
    many = tuple(
        HeadItem("module", "", f'<script type="module" src="/{n:040}.js"></script>'.encode()) for n in range(99)
    )
    assert 1900 < len(hints.link((many,))) <= 2048
