"""The laws: each module has `violations(root)`, lines of `path:line: what and what to do`."""
