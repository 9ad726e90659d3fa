"""The server is real, empty when asked for, and can be taken away."""

import pytest
import redis

from tests.kit.redis import RedisServer


def test_fresh_redis_is_empty_and_real(fresh_redis: RedisServer) -> None:
    assert fresh_redis.cli("DBSIZE") == 0
    assert fresh_redis.cli("SET", "key", b"\x00\xff", "EX", 30) in (True, b"OK")
    assert fresh_redis.cli("GET", "key") == b"\x00\xff"
    assert 0 < int(str(fresh_redis.cli("TTL", "key"))) <= 30


def test_outage(fresh_redis: RedisServer) -> None:
    fresh_redis.cli("SET", "key", "value")
    fresh_redis.stop()
    with pytest.raises(redis.ConnectionError):
        fresh_redis.cli("PING")
    fresh_redis.start()
    assert fresh_redis.cli("GET", "key") is None


def test_monitor_tells_what_was_asked(fresh_redis: RedisServer) -> None:
    with fresh_redis.monitor() as said:
        fresh_redis.cli("SET", "key", "value", "EX", 30)
    assert "SET key value EX 30" in said
