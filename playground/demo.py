"""Who is there from the start: two people, a team's group with topics, and a channel."""

from playground.render import ADMIN_RIGHTS, CHANNEL_RIGHTS, GROUP_RIGHTS
from playground.state import Chat, Member, Person
from playground.world import World

ANNA = Person(1001, "Анна", username="anna", language_code="ru")
BEN = Person(1002, "Ben", username="ben", language_code="en")
TEAM_ID = -1000000002001
CHANNEL_ID = -1000000003001


def all_rights(kind: str) -> dict[str, bool]:
    """Every right an administrator can have in a chat of this kind."""
    specific = CHANNEL_RIGHTS if kind == "channel" else GROUP_RIGHTS
    return dict.fromkeys((*ADMIN_RIGHTS, *specific), True)


def furnish(world: World) -> None:
    """Put the demo's people and chats into a new world."""
    for person in (ANNA, BEN):
        world.open_private_chat(person)
    world.save_chat(
        Chat(
            TEAM_ID,
            "supergroup",
            title="Команда",
            bot=Member("administrator", all_rights("supergroup")),
            members={ANNA.id: Member("creator"), BEN.id: Member("member")},
        )
    )
    world.save_chat(
        Chat(
            CHANNEL_ID,
            "channel",
            title="Канал",
            username="vitrina_channel",
            bot=Member("administrator", all_rights("channel")),
            members={ANNA.id: Member("creator"), BEN.id: Member("member")},
        )
    )
