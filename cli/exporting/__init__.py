"""`rostrum export`: the entries of a channel as lines of JSON."""

from cli.exporting.command import export as export
