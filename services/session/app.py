"""Session, put together."""

from libs.runtime.beats import Beats
from libs.runtime.keys import SECRET_FILE, Keys, fresh_secret
from libs.runtime.service import Ports, Running, Service
from libs.runtime.view import View
from libs.runtime.web import api
from libs.wire.services import SESSION
from libs.wire.topics import REVOCATIONS, VIEWS

from .consumers import fold
from .handlers.accounts import Accounts
from .handlers.sessions import Sessions
from .ledger import Ledger
from .passwords import Passwords
from .routes import session_routes
from .settings import Settings
from .store import PREFIX, Store


def build(settings: Settings, ports: Ports) -> Running:
    """Session over these ports. Its key is read here, from a small local file: nothing that could
    be slow, and a deployment without it should not start."""
    keys = Keys(ports.secrets.get(SECRET_FILE, fresh_secret))
    view = View(PREFIX, VIEWS[SESSION], fold, ports=ports)
    store, ledger = Store(ports.store, view), Ledger(ports.log, view)
    accounts = Accounts(store, ledger, Passwords(settings), clock=ports.clock, new_id=ports.new_id)
    sessions = Sessions(ports, store, ledger, keys=keys, settings=settings)
    app = api(PREFIX, signer=ports.signer, clock=ports.clock)
    app.include_router(session_routes(accounts, sessions, keys))
    beats = Beats(ports.log, ports.clock, view, REVOCATIONS)
    return Running(app=app, loops={"view": view.run, "beats": beats.run}, lacks=view.lacks)


SERVICE = Service(Settings, build)
