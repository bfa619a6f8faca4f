"""What a client must not leave behind."""

import asyncio


def tasks_of_ours() -> list[str]:
    """Tasks of followers that run still."""
    return [str(task) for task in asyncio.all_tasks() if task.get_name() == "rostrum: follower"]
