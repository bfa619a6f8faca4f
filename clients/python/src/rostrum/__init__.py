"""Rostrum from Python: post to channels and follow them."""

from rostrum.cursor import Cursor as Cursor
from rostrum.errors import EpochChanged as EpochChanged
from rostrum.errors import NotPosted as NotPosted
from rostrum.errors import OutboxClosed as OutboxClosed
from rostrum.errors import OutboxFull as OutboxFull
from rostrum.errors import OutcomeUnknown as OutcomeUnknown
from rostrum.errors import Problem as Problem
from rostrum.errors import Refused as Refused
from rostrum.errors import RostrumError as RostrumError
from rostrum.errors import SignedOut as SignedOut
from rostrum.errors import TryAgain as TryAgain
from rostrum.errors import Unreachable as Unreachable
from rostrum.model import Channel as Channel
from rostrum.model import Entry as Entry
from rostrum.model import Joined as Joined
from rostrum.model import Member as Member
from rostrum.model import Message as Message
from rostrum.model import Page as Page
from rostrum.model import Posted as Posted
from rostrum.model import Unknown as Unknown
from rostrum.model import User as User
from rostrum.model import Void as Void
from rostrum.session import Session as Session
from rostrum.session import SessionStore as SessionStore
