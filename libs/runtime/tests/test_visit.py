"""Asking listeners from outside, over real sockets."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from libs.runtime import metrics
from libs.runtime.admin import admin_app
from libs.runtime.clock import SystemClock
from libs.runtime.metrics import Sample
from libs.runtime.visit import Away, Visitor
from libs.testing.served import served

SEEN = metrics.gauge("tests_visited", "Whether a visitor came", ["who"])


class Ahead(SystemClock):
    """A clock that is an hour ahead."""

    def now_ms(self) -> int:
        return super().now_ms() + 3_600_000


async def test_health_says_what_is_lacking_and_how_far_the_clock_is_ahead() -> None:
    async with (
        served(admin_app({"shop": lambda: ["view: waits"], "bakery": tuple}, Ahead())) as url,
        Visitor(SystemClock()) as visitor,
    ):
        health = await visitor.health(url)
    assert not health.is_ready
    assert health.lacks == {"shop": ["view: waits"], "bakery": []}
    assert health.ahead_ms is not None
    assert abs(health.ahead_ms - 3_600_000) <= health.unsure_ms + 2


async def test_metrics_are_ours_alone_and_without_their_prefix() -> None:
    SEEN.labels("me").set(2)
    async with served(admin_app({}, SystemClock())) as url, Visitor(SystemClock()) as visitor:
        samples = await visitor.metrics(url)
    assert Sample("tests_visited", {"who": "me"}, 2.0) in samples
    assert not [sample for sample in samples if sample.name.startswith("python")]


async def test_nobody_there_is_away() -> None:
    async with Visitor(SystemClock()) as visitor:
        with pytest.raises(Away, match=r"http://127\.0\.0\.1:9/health/ready does not answer \("):
            await visitor.health("http://127.0.0.1:9")


async def test_somebody_else_there_is_away_too() -> None:
    async def odd(request: Request) -> Response:
        if request.url.path == "/metrics":
            return PlainTextResponse("{no exposition")
        return JSONResponse({"hello": "world"})

    async def lost(_: Request) -> Response:
        return PlainTextResponse("", 404)

    app = Starlette(
        routes=[Route("/health/ready", odd), Route("/metrics", odd), Route("/v1/keys", lost)]
    )
    async with served(app) as url, Visitor(SystemClock()) as visitor:
        with pytest.raises(Away, match="not of this suite"):
            await visitor.health(url)
        with pytest.raises(Away, match="shows no metrics"):
            await visitor.metrics(url)
        with pytest.raises(Away, match="answers 404"):
            await visitor.keys(url)


async def test_an_instance_of_an_earlier_release_tells_no_clock() -> None:
    async def ready(_: Request) -> Response:
        return JSONResponse({"ready": True, "lacks": {"chat": []}})

    async with (
        served(Starlette(routes=[Route("/health/ready", ready)])) as url,
        Visitor(SystemClock()) as visitor,
    ):
        health = await visitor.health(url)
    assert (health.is_ready, health.ahead_ms) == (True, None)


async def test_the_keys_of_a_gateway_are_their_ids() -> None:
    async def keys(_: Request) -> Response:
        return JSONResponse({"keys": [{"kid": "a", "kty": "OKP"}, {"kid": "b", "kty": "OKP"}]})

    async with (
        served(Starlette(routes=[Route("/v1/keys", keys)])) as url,
        Visitor(SystemClock()) as visitor,
    ):
        assert await visitor.keys(url) == {"a", "b"}
