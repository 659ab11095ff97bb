"""All of Telegram on one machine: a world for each bot, and what they share."""

import re
from pathlib import Path

from playground.demo import furnish
from playground.errors import ApiError, SimError
from playground.events import Bell
from playground.faults import Faults
from playground.journal import Journal
from playground.limits import Limits
from playground.state import Profile
from playground.store import Store
from playground.world import World

_TOKEN = re.compile(r"(?P<id>\d{1,15}):[A-Za-z0-9_-]{1,64}")
PLACEHOLDER_ID = 1
"""The bot of a world that no bot has called yet."""


class Telegram:
    """The worlds, and the switches that a test or a person turns: faults, limits, the log."""

    def __init__(self, state_dir: Path | None) -> None:
        self.store = Store(state_dir)
        self.worlds = [World.load(number, self.store) for number in self.store.worlds()]
        self.faults = Faults()
        self.limits = Limits()
        self.journal = Journal()
        self.new_world = Bell()
        if not self.worlds:
            self._new_world(Profile(PLACEHOLDER_ID))

    def _new_world(self, profile: Profile) -> World:
        world = World(len(self.worlds) + 1, profile, self.store)
        world.save_profile()
        furnish(world)
        self.worlds.append(world)
        self.new_world.ring()
        self.store.flush()
        return world

    def by_token(self, token: str) -> World:
        """The world of a calling bot, made on its first call.

        Raises ApiError 401 for a malformed token, and for another secret under a known id.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ApiError(401, "Unauthorized: invalid token specified")
        for world in self.worlds:
            if world.profile.token == token:
                return world
        bot_id = int(match["id"])
        if any(world.profile.token and world.profile.id == bot_id for world in self.worlds):
            raise ApiError(401, "Unauthorized")
        first = self.worlds[0]
        if first.profile.token is None:
            first.take_bot(bot_id, token)
            return first
        number = len(self.worlds) + 1
        name = f"Bot {number}"
        return self._new_world(Profile(bot_id, token, f"number_{number}_bot", name))

    def by_bot(self, bot_id: int | None) -> World:
        """The world of a bot, or the first one. Raises SimError for a bot that never called."""
        for world in self.worlds:
            if bot_id in (None, world.profile.id):
                return world
        if bot_id == PLACEHOLDER_ID:
            return self.worlds[0]
        raise SimError(f"no bot {bot_id}: it has not made a call yet", 404)

    def close(self) -> None:
        """Let every waiting page go and put everything on disk."""
        for world in self.worlds:
            world.feed.close()
        self.store.close()
