"""Registers the summary of the contract. It begins with the collection of this folder."""

import pytest

NAME = "log-contract-summary"

pytest.register_assert_rewrite("libs.log.contract")


def pytest_configure(config: pytest.Config) -> None:
    # Imported late: the contract is imported by it, and its assertions shall be told in full.
    from libs.log.tests.contract_summary import ContractSummary

    if not config.pluginmanager.has_plugin(NAME):  # the folder of an adapter may have been first
        config.pluginmanager.register(ContractSummary(config), NAME)
