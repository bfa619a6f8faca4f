"""What is in no list of routes is unknown, and what is in none of open ones needs a token."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from services.catalog import ROUTES, Route
from services.gateway.tests.edge import CHANNEL, Edge, edge

DOCUMENT = {("GET", "/openapi.json"), ("GET", "/docs")}
# What the gateway answers itself. Whoever adds a route writes it here, or into the catalog.
OWN = {
    ("GET", "/v1/channels/{channel}/messages"),
    ("POST", "/v1/channels/{channel}/messages"),
    ("GET", "/v1/channels/{channel}/poll"),
    ("POST", "/v1/poll"),
    ("GET", "/v1/stream"),
}
OPEN = {
    ("POST", "/v1/accounts"),
    ("POST", "/v1/sessions"),
    ("POST", "/v1/sessions/refresh"),
    ("GET", "/v1/keys"),
}


def served(it: Edge) -> set[tuple[str, str]]:
    """Method and path of all that the gateway's app serves, published or not."""
    app = it.running.app
    assert isinstance(app, FastAPI)
    routes = list(iter_route_contexts(app.routes))
    # Whoever reads may also ask for the head. A route without methods would be a WebSocket, which
    # is served before the app; `test_socket` asks it for its token.
    assert all(route.methods for route in routes)
    return {
        (method, str(route.path))
        for route in routes
        for method in route.methods or ()
        if method != "HEAD"
    }


async def test_the_gateway_serves_the_routes_of_both_lists_and_no_others() -> None:
    async with edge() as it:
        catalog = {(route.method, route.path) for route in ROUTES}
        assert served(it) == OWN | DOCUMENT | catalog


async def test_every_route_needs_a_token_that_is_not_in_the_list_of_open_ones() -> None:
    async with edge() as it:
        for method, path in served(it) - DOCUMENT:
            asked = re.sub(r"{\w+}", CHANNEL, path)
            reply = await it.client.request(method, asked)
            if (method, path) in OPEN:
                assert reply.is_success, (method, path)
            else:
                assert (reply.status_code, reply.json()["code"]) == (401, "token_missing"), path


def test_a_route_of_the_catalog_is_closed_unless_it_says_otherwise() -> None:
    assert not Route("GET", "/v1/anything", "session").open


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_what_a_service_serves_beyond_the_lists_is_unknown(method: str) -> None:
    """Services may have more routes than are public: none is reached by its name alone."""
    async with edge() as it:
        for path in ("/v1/channels/x/secrets", "/v1/me/secrets", "/v1/sessions/x/y", "/v2/me"):
            for headers in ({}, it.bearer()):
                reply = await it.client.request(method, path, headers=headers)
                assert (reply.status_code, reply.json()["code"]) == (404, "route_unknown"), path
        heard = [*it.members.echo.heard, *it.session.echo.heard, *it.chat.heard]
        assert heard == []
