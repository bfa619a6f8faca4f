"""One document of all services' public routes, and a page that shows it."""

import re
from typing import Any

import pytest
from fastapi import APIRouter, Response

from services.gateway.routes import document as documents
from services.gateway.routes.document import merged
from services.gateway.tests.edge import CHANNEL, Edge, edge


def document(path: str, method: str = "get", **schemas: Any) -> dict[str, Any]:
    return {"paths": {path: {method: {"summary": path}}}, "components": {"schemas": schemas}}


def test_documents_become_one() -> None:
    one = document("/v1/b", "get", Entry={"type": "object"})
    two = document("/v1/b", "post", Entry={"type": "object"}, Post={"type": "string"})
    found = merged([one, two, {"paths": {"/v1/a": {"get": {}}}}], frozenset())
    assert list(found["paths"]) == ["/v1/a", "/v1/b"]
    assert found["paths"]["/v1/b"].keys() == {"get", "post"}
    assert found["components"]["schemas"].keys() == {"Entry", "Post"}
    assert found["components"]["securitySchemes"] == {"bearer": documents.BEARER}


def test_inner_routes_are_not_published() -> None:
    assert merged([document("/internal/access", "post")], frozenset())["paths"] == {}


def test_closed_routes_need_a_bearer_token_and_open_ones_do_not() -> None:
    both = document("/v1/sessions", "post"), document("/v1/sessions", "get")
    found = merged(both, frozenset({("POST", "/v1/sessions")}))["paths"]["/v1/sessions"]
    assert found["get"]["security"] == [{"bearer": []}]
    assert "security" not in found["post"]


@pytest.mark.parametrize(
    "other",
    [document("/v1/a", Entry={"type": "string"}), {"paths": {"/v1/a": {"get": {"x": 1}}}}],
    ids=["schema", "route"],
)
def test_one_name_for_two_things_is_an_error(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="two things"):
        merged([document("/v1/a", Entry={"type": "object"}), other], frozenset())


async def _nothing() -> None:
    return None


def published(it: Edge, **paths: str) -> None:
    """Give fakes a public route each: a service's name to a path."""
    apps = {"chat": it.chat.app, "session": it.session.app, "members": it.members.app}
    for name, path in paths.items():
        router = APIRouter()
        router.add_api_route(path, _nothing, methods=["POST"], summary=name)
        apps[name].include_router(router)


async def test_the_gateway_publishes_its_own_routes_and_those_of_the_services() -> None:
    async with edge() as it:
        published(it, chat="/v1/channels/{channel}/messages", session="/v1/sessions")
        reply = await it.client.get("/openapi.json")
        assert reply.status_code == 200
        paths = reply.json()["paths"]
        assert paths["/v1/channels/{channel}/messages"].keys() == {"get", "post"}
        assert paths["/v1/channels/{channel}/poll"]["get"]["security"] == [{"bearer": []}]
        assert "security" not in paths["/v1/sessions"]["post"]
        assert not [path for path in paths if not path.startswith("/v1/")]
        shown = reply.json()["components"]["schemas"]
        assert shown["PollAnswer"]["properties"].keys() >= {"entries", "cursor", "jump", "drain"}


async def test_services_that_contradict_each_other_are_a_fault_of_ours() -> None:
    async with edge() as it:
        published(it, chat="/v1/a", session="/v1/a")
        reply = await it.client.get("/openapi.json")
        assert (reply.status_code, reply.json()["code"]) == (500, "internal")


@pytest.mark.parametrize(("status", "body"), [(500, b'{"code":"internal"}'), (200, b"<html>")])
async def test_a_service_without_a_document_is_away(status: int, body: bytes) -> None:
    async with edge() as it:
        it.ports.calls.attach("chat", Response(body, status))
        reply = await it.client.get("/openapi.json")
        assert (reply.status_code, reply.json()["code"]) == (503, "service_away")


async def test_the_page_is_html_and_asks_nobody_outside() -> None:
    async with edge() as it:
        reply = await it.client.get("/docs")
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert reply.text.startswith("<!doctype html>")
        assert "/openapi.json" in reply.text
        assert re.findall(r"(?:https?:)?//[\w.]+\.\w", reply.text) == []


async def test_what_an_answer_holds_is_what_the_document_says() -> None:
    async with edge() as it:
        it.channel(head=1_500)
        shown = (await it.client.get("/openapi.json")).json()["components"]["schemas"]
        for after in ("1-1", "1-1490", "7-1"):
            told = (await it.poll(after=after)).json()
            assert told.keys() <= shown["PollAnswer"]["properties"].keys()
            assert set(shown["PollAnswer"]["required"]) <= told.keys()
        page = (await it.get(f"/v1/channels/{CHANNEL}/messages")).json()
        assert page.keys() == shown["PageAnswer"]["properties"].keys()
        assert page["entries"][0].keys() <= shown["EntryShape"]["properties"].keys()
