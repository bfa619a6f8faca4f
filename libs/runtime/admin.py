"""The admin listener: metrics, health and tasks, never on the public port."""

from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from libs.runtime import metrics
from libs.runtime.clock import Clock
from libs.runtime.tasks import running_tasks

Lacks = Callable[[], Sequence[str]]


def admin_app(services: Mapping[str, Lacks], clock: Clock) -> Starlette:
    """The admin app of a process with these services. It tells its clock as well, so that operators
    see how those of their machines differ."""

    def lacking() -> dict[str, list[str]]:
        return {name: list(lacks()) for name, lacks in services.items()}

    async def live(_: Request) -> Response:
        return PlainTextResponse("live\n")

    async def ready(_: Request) -> Response:
        lacks = lacking()
        is_ready = not any(lacks.values())
        said = {"ready": is_ready, "lacks": lacks, "at_ms": clock.now_ms()}
        return JSONResponse(said, 200 if is_ready else 503)

    async def exposition(_: Request) -> Response:
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    async def tasks(_: Request) -> Response:
        return PlainTextResponse("\n".join(running_tasks()) + "\n")

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/metrics", exposition),
            Route("/debug/tasks", tasks),
        ]
    )
