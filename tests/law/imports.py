"""Who may import whom: libs know no services, services know no other service."""

from collections.abc import Iterator
from pathlib import Path

from tests.law.names_in import Imported, dotted_uses, imports, within
from tests.law.tree import Source, sources

CATALOG = "services/catalog.py"
# Tables of what is imported when it is asked for.
LOADERS = (CATALOG, "cli/__main__.py")
COMPUTED = frozenset({"importlib.import_module", "importlib.__import__", "pkgutil.resolve_name"})
# The route table is in the catalog, and the gateway is who hands requests on by it.
GATEWAY = "services/gateway/"
SERVICE_LIBS = ("libs.wire", "libs.log", "libs.store", "libs.runtime")
LAYERS: dict[str, tuple[str, ...]] = {
    "libs/wire/": ("libs.wire",),
    "libs/log/": ("libs.wire", "libs.log"),
    "libs/store/": ("libs.wire", "libs.store"),
    "libs/runtime/": SERVICE_LIBS,
    "libs/testing/": ("libs",),
    "services/": SERVICE_LIBS,
    "deploy/kafka/": ("deploy.kafka",),
    # Starting every service as a process takes their list and how settings are called.
    "deploy/local/": ("deploy", "libs.runtime.settings", "libs.wire.services", "services.catalog"),
    "docs/": ("libs", "docs", "services.catalog"),
    # Whoever installs the client has nothing of the server.
    "clients/": ("rostrum",),
    # A bench starts what operators start, and knows what crosses the wire, not who makes it.
    "bench/": (
        "bench",
        "deploy",
        "libs.wire",
        "libs.runtime.clock",
        "libs.runtime.settings",
        "services.catalog",
    ),
    # It is played with what operators start, and with what they import by.
    "demo/": ("demo", "cli", "deploy", "libs.runtime"),
    "cli/": ("cli", "libs.wire", "libs.log", "libs.store", "libs.runtime", "services.catalog"),
}
# What operators start is what integration tests start, and brokers for tests come from one place.
STARTERS = ("deploy", "libs.log.kafka.tests.broker")
# A check that shares no code with a service reads the log itself, and asks as the gateway does.
WITNESSES = ("libs.log.open", "libs.log.port", "libs.runtime.clock", "libs.runtime.identity")
INTEGRATION = ("libs.wire", "libs.testing", "services.catalog", "harness", *STARTERS, *WITNESSES)
# A simulation is made of what the services are made of, put together without sockets.
SIMULATION = ("integration-tests/simulation/", "integration-tests/test_simulation.py")


def violations(root: Path) -> list[str]:
    """Every import against the law."""
    return [line for source in sources(root) for line in _of(source)]


def _of(source: Source) -> Iterator[str]:
    for one in imports(source):
        if within(one.name, "bench", "libs", "services", "tests", "deploy"):
            wrong = _wrong(source, one)
            if wrong:
                yield source.at(one.node, wrong)
    if source.rel not in LOADERS and not source.is_test:
        for node, name in dotted_uses(source):
            if name in COMPUTED:
                yield source.at(
                    node, f"imports by a computed name; only {' and '.join(LOADERS)} may"
                )


def _wrong(source: Source, one: Imported) -> str | None:
    if source.rel.startswith(SIMULATION) and within(one.name, "libs", "services"):
        return None
    if source.parts[0] == "integration-tests":
        return _wrong_in_integration(one)
    if source.is_test and source.parts[:2] != ("libs", "testing"):
        return None
    if one.relative:
        return _wrong_relative(source, one)
    if within(one.name, "libs.testing") and source.parts[:2] != ("libs", "testing"):
        return "imports libs.testing, which is for tests only"
    if within(one.name, "services") and source.rel == CATALOG:
        return None
    if within(one.name, "services") and source.parts[0] == "services":
        return f"imports {one.name} by its full name; inside services write it relative"
    return _wrong_layer(source, one)


def _wrong_in_integration(one: Imported) -> str | None:
    contract = one.name.startswith("libs.") and "contract" in one.name.split(".")
    if contract or within(one.name, *INTEGRATION):
        return None
    known = "wire, testing, contracts, starters and the catalog"
    return f"imports {one.name}; integration tests know {known}"


def _wrong_relative(source: Source, one: Imported) -> str | None:
    if source.parts[0] != "services":
        return "imports relatively; outside services write the full name"
    home = ".".join(source.parts[:2]) if len(source.parts) > 2 else "services.catalog"
    if within(one.name, home):
        return None
    if source.rel.startswith(GATEWAY) and within(one.name, "services.catalog"):
        return None
    return f"reaches {one.name}, outside its own service; call it or move it to libs"


def _wrong_layer(source: Source, one: Imported) -> str | None:
    for folder, allowed in LAYERS.items():
        if source.rel.startswith(folder) and not within(one.name, *allowed):
            return f"imports {one.name}; {folder} may import {', '.join(allowed)}"
    return None
