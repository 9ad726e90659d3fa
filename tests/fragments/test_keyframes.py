"""Key frames of a piece have its own name, where they are declared and where an animation means them."""

from __future__ import annotations

import time

import pytest

from fragments.keyframes import apart, declared

DECLARED = [
    pytest.param("@keyframes a{}@-WebKit-KeyFrames b{}", {"a", "b"}, id="names"),
    pytest.param("@keyframes 'a b'{}@keyframes \"c\"{}", {"a b", "c"}, id="strings"),
    pytest.param("@media x{@keyframes/**/ a {}}", {"a"}, id="in a group"),
    pytest.param("/* @keyframes a{} */b{c:'@keyframes d'}e{f:url(@keyframes g)}", set(), id="none in text"),
    pytest.param("@keyframes ease{}@keyframes a\\62{}", set(), id="none that could not be told"),
    pytest.param("@keyframesa b{}", set(), id="another rule"),
]


@pytest.mark.parametrize(("sheet", "names"), DECLARED)
def test_declared(sheet: str, names: set[str]) -> None:
    assert declared(sheet) == names


APART = [
    pytest.param("@keyframes a{to{b:c}}", "@keyframes a-x-y{to{b:c}}", id="where they are declared"),
    pytest.param(".a{animation:a 1s ease,b 2s}", ".a{animation:a-x-y 1s ease,b 2s}", id="where they are meant"),
    pytest.param(".a{-webkit-animation-name: a}", ".a{-webkit-animation-name: a-x-y}", id="by name alone"),
    pytest.param(".a{animation:'a' 1s}@keyframes 'a'{}", ".a{animation:'a-x-y' 1s}@keyframes 'a-x-y'{}", id="strings"),
    pytest.param(".a{animation:1s cubic-bezier(0,a) a}", ".a{animation:1s cubic-bezier(0,a) a-x-y}", id="functions"),
    pytest.param(".a{animation:a/* a */;a:a}", ".a{animation:a-x-y/* a */;a:a}", id="nothing behind them"),
    pytest.param(".a{animation-duration:a;--animation:a}", ".a{animation-duration:a;--animation:a}", id="nothing else"),
    pytest.param("a:animation{}", "a:animation{}", id="no selector"),
    pytest.param(".a{content:'animation:a'}", ".a{content:'animation:a'}", id="no text"),
    pytest.param("animation:a", "animation:a-x-y", id="a style attribute"),
]


@pytest.mark.parametrize(("before", "after"), APART)
def test_apart(before: str, after: str) -> None:
    assert apart(before, frozenset({"a"}), "x.y") == after


def test_without_names_nothing_changes() -> None:
    assert apart("@keyframes a{}", frozenset(), "x") == "@keyframes a{}"


@pytest.mark.parametrize(
    "unit", ["@keyframes ", "animation:", "animation:'", "/*", '"a', "url(", "animation:(", "animation/*"]
)
def test_time_is_linear(unit: str) -> None:
    start = time.process_time()
    declared("@keyframes a{}" + unit * 30_000)
    apart(unit * 30_000, frozenset({"a"}), "x")
    assert time.process_time() - start < 5
