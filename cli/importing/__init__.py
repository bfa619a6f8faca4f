"""`rostrum import`: a Telegram Desktop export becomes entries of a channel, in its order."""

from cli.importing.command import import_ as import_
