"""What the document says of the routes."""

from typing import Any

from services.session.routes import READING, WRITING
from services.session.tests.desk import Desk


async def operations(desk: Desk) -> dict[str, Any]:
    paths = (await desk.bare("GET", "/openapi.json")).json()["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, found in paths.items()
        for method, operation in found.items()
    }


async def test_a_503_names_its_reasons(desk: Desk) -> None:
    known = await operations(desk)
    said = known["POST /v1/accounts"]["responses"]["503"]["description"]
    assert set(said.split(", ")) == {*READING, *WRITING}
    assert set(known["GET /v1/me"]["responses"]["503"]["description"].split(", ")) == set(READING)


async def test_every_answer_is_documented(desk: Desk) -> None:
    known = {name: set(said["responses"]) for name, said in (await operations(desk)).items()}
    both = {"422", "429", "503"}
    assert known == {
        "POST /v1/accounts": {"201", "409", *both},
        "POST /v1/sessions": {"201", "401", *both},
        "POST /v1/sessions/refresh": {"200", "401", *both},
        "GET /v1/sessions": {"200", "401", *both},
        "DELETE /v1/sessions": {"204", "401", *both},
        "DELETE /v1/sessions/{session}": {"204", "401", "404", *both},
        "GET /v1/me": {"200", "401", "404", *both},
        "GET /v1/keys": {"200"},
    }
