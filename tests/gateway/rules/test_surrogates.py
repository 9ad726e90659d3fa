"""What origins are told we can do for their pages."""

import pytest

from gateway.message import Fields
from gateway.rules.surrogates import capable

HOST = (b"host", b"x")


@pytest.mark.parametrize(
    ("fields", "dialects", "told"),
    [
        pytest.param([HOST], ("esi",), b'portico="ESI/1.0"', id="we-speak-esi"),
        pytest.param([HOST], ("ssi", "tailor"), None, id="ssi-has-no-such-word"),
        pytest.param([HOST], (), None, id="nothing-allowed-nothing-told"),
        pytest.param(
            [(b"surrogate-capability", b'cdn="ESI/1.0"')],
            ("esi",),
            b'cdn="ESI/1.0", portico="ESI/1.0"',
            id="ledge-behind-what-others-can-do",
        ),
    ],
)
def test_capability(fields: Fields, dialects: tuple[str, ...], told: bytes | None) -> None:
    assert dict(capable(fields, dialects)).get(b"surrogate-capability") == told
