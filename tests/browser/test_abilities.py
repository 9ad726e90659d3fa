"""A browser that can what we ask for is told so: a question that always says no would leave the half of it untested."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.abilities import moves_sheets, patches, says_who_preloads

KNOWS_ALL, KNOWS_NONE = 156, 147  # the versions that were looked at


@pytest.mark.parametrize("asked", [patches, moves_sheets, says_who_preloads])
def test_ability_is_seen_where_it_is(browser: Browser, asked: Callable[[Browser], bool]) -> None:
    version = int(browser.version.partition(".")[0])
    able = asked(browser)
    assert able if version >= KNOWS_ALL else not able or version > KNOWS_NONE
