"""Ports for suites, as for whatever else is started on this machine."""

from deploy.local.ports import free_port as free_port
