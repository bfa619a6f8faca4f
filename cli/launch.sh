#!/bin/sh
# `rostrum` of the tree around this .venv; `make environment` copies it from cli/launch.sh. It is
# found by how it was called: a tree may be moved, copied, and share its .venv with others.
self=$0
[ ! -L "$self" ] || self=$(readlink -f -- "$self")
root=$(CDPATH='' cd -- "$(dirname -- "$self")/../.." && pwd) || exit 3
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$root/.venv/bin/python" -P -m cli "$@"
