"""`/openapi.json`: one document of all public routes, and `/docs`, which shows it offline too."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response

from libs.runtime.service import Ports
from libs.wire.codec import Malformed, from_json, to_json
from libs.wire.codes import TryAgain

from .shapes import ProblemShape

PAGE = (Path(__file__).parent / "docs.html").read_bytes()
BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
PUBLIC = "/v1/"
DOCUMENT_S = 5.0


def document_routes(
    app: FastAPI, services: Iterable[str], open_paths: frozenset[tuple[str, str]], ports: Ports
) -> APIRouter:
    """The routes of the document. Fields are defined once, in the service that owns the route."""
    router = APIRouter(include_in_schema=False)
    names = sorted(set(services))

    @router.get("/openapi.json")
    async def document() -> Response:
        found = await asyncio.gather(*(_fetch(ports, name) for name in names))
        return Response(
            to_json(merged([app.openapi(), *found], open_paths)), media_type="application/json"
        )

    @router.get("/docs")
    async def docs() -> Response:
        return Response(PAGE, media_type="text/html; charset=utf-8")

    return router


def merged(
    documents: Iterable[dict[str, Any]], open_paths: frozenset[tuple[str, str]]
) -> dict[str, Any]:
    """One document out of several: public paths and all schemas. Raises `ValueError` when two give
    one name to different things."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for document in documents:
        for path, operations in document["paths"].items():
            if path.startswith(PUBLIC):
                _merge(paths.setdefault(path, {}), _guarded(path, operations, open_paths))
        _merge(schemas, document.get("components", {}).get("schemas", {}))
    # The framework describes a wrong field in its own words; what is answered is a problem.
    if schemas.pop("ValidationError", None) is not None:
        schemas["HTTPValidationError"] = ProblemShape.model_json_schema()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rostrum", "version": "1"},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas, "securitySchemes": {"bearer": BEARER}},
    }


def _guarded(
    path: str, operations: dict[str, Any], open_paths: frozenset[tuple[str, str]]
) -> dict[str, Any]:
    return {
        method: operation
        if (method.upper(), path) in open_paths
        else {**operation, "security": [{"bearer": []}]}
        for method, operation in operations.items()
    }


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if into.setdefault(name, value) != value:
            raise ValueError(f"{name} means two things in the services' documents")


async def _fetch(ports: Ports, service: str) -> dict[str, Any]:
    reply = await ports.calls.send(service, "GET", "/openapi.json", deadline_s=DOCUMENT_S)
    if reply.status != 200:
        raise TryAgain("service_away", f"{service} has no document now")
    try:
        return from_json(reply.body, dict[str, Any])
    except Malformed as fault:
        raise TryAgain("service_away", f"{service} has no document now") from fault
