"""What `serve` and `demo` refuse before anything runs."""

import gateway.verbs.options as options
from tests.gateway.verbs.calling import flat, portico


def test_serve_refuses_wrong_settings_before_it_starts() -> None:
    done = portico("serve", "--workers", "many")
    assert done.exit_code == options.PROBLEMS
    assert "option workers: a number of workers, or auto is wanted here" in done.stderr


def test_the_demo_refuses_a_duration_it_cannot_read() -> None:
    done = portico("demo", "slow", "hotels", "soon")
    assert done.exit_code == options.USAGE
    assert "such as 400ms, 2s" in flat(done.output)
