"""The server is real, empty when asked for, and can be taken away."""

import time

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.kit.redis import Line, RedisServer


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


def test_a_frozen_server_says_nothing_until_it_is_thawed(fresh_redis: RedisServer) -> None:
    fresh_redis.freeze()
    with redis.Redis(port=fresh_redis.port, socket_timeout=0.1, retry=Retry(NoBackoff(), 0)) as client:
        with pytest.raises(redis.TimeoutError):
            client.ping()
        fresh_redis.thaw()
    assert fresh_redis.cli("PING") in (True, b"PONG")


def test_a_line_delays_and_loses(fresh_redis: RedisServer) -> None:
    line = Line(fresh_redis.port)
    line.start()
    try:
        with redis.Redis(port=line.port, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
            assert client.ping()
            line.delay, began = 0.1, time.monotonic()
            assert client.ping()
            assert time.monotonic() - began >= 0.2
            line.cut = True
            client.connection_pool.connection_kwargs["socket_timeout"] = 0.1
            client.connection_pool.disconnect()
            with pytest.raises(redis.TimeoutError):
                client.ping()
    finally:
        line.stop()
