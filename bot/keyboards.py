"""The buttons of every card. A button is there only if it does something today."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)

from bot import names, team_keyboards, texts
from bot.buttons import Row, button, in_rows, marked, markup
from bot.callbacks import (
    AlbumTap,
    BrandTap,
    CancelTap,
    DraftTap,
    ExampleTap,
    HistoryTap,
    PlanTap,
    ResendTap,
    RetryTap,
    SettingsTap,
)
from bot.texts import N_, Texts
from db.views import AlbumView, Brand, Draft, HistoryPage, UserSettings
from pipeline.styles import PRESETS
from pipeline.types import Aspect

MENU: dict[str, str] = {
    "create": N_("✨ Create"),
    "brands": N_("🎨 Brands"),
    "history": N_("🗂 History"),
    "posts": N_("🗓 Posts"),
    "wallet": N_("💰 Wallet"),
    "plans": N_("💎 Plan"),
    "team": N_("👥 Team"),
    "settings": N_("⚙️ Settings"),
    "help": N_("❓ Help"),
}
"""The menu's pages and the words on its buttons."""

_MENU_ROWS = (
    ("create", "brands", "history"),
    ("posts", "wallet", "plans"),
    ("team", "settings", "help"),
)

EXAMPLES: tuple[str, ...] = (
    N_("Autumn menu of a coffee shop for Instagram: pumpkin latte and cinnamon"),
    N_("Sale in a clothes shop, a banner for the website, bright colours"),
    N_("Announcement of a morning yoga class for stories, soft light"),
)

EXAMPLE_LABELS: tuple[str, ...] = (
    N_("☕ Coffee shop's autumn"),
    N_("🛍 Sale banner"),
    N_("🧘 Yoga for stories"),
)


def menu(tr: Texts) -> ReplyKeyboardMarkup:
    """The menu under the message field of a private chat."""
    return ReplyKeyboardMarkup(
        keyboard=[
            [KeyboardButton(text=tr.plain(MENU[page])) for page in row] for row in _MENU_ROWS
        ],
        resize_keyboard=True,
        is_persistent=True,
        input_field_placeholder=tr.plain("Your idea…"),
    )


def examples(tr: Texts) -> InlineKeyboardMarkup:
    return markup(
        [button(tr.plain(label), ExampleTap(index=index))]
        for index, label in enumerate(EXAMPLE_LABELS)
    )


# --- the draft card ---


def draft(tr: Texts, draft: Draft, aspect: Aspect, max_count: int) -> InlineKeyboardMarkup:
    def tap(do: str, field: str = "", value: str = "") -> DraftTap:
        return DraftTap(request_id=draft.id, do=do, field=field, value=value)

    brand = draft.brand.name if draft.brand else tr.plain("no brand")
    enhance = tr.plain("Improve prompt: on") if draft.enhance else tr.plain("Improve prompt: off")
    # The value that a tap leads to, not a step: a tap handled twice leads to the same.
    count = str(draft.count % max_count + 1)
    # The tap says that the card has shown it to be gone.
    create = tap("go", "brand") if draft.brand_gone else tap("go")
    no_photo = button(tr.plain("🖼 Leave the photo out"), tap("set", "photo"))
    return markup(
        [
            [button(tr.plain("✨ Create"), create, "primary")],
            [
                button(f"📍 {names.platform(tr, draft.platform)}", tap("open", "platform")),
                button(f"🏁 {names.goal(tr, draft.goal)}", tap("open", "goal")),
            ],
            [
                button(tr.plain("Brand: {name}", name=brand), tap("open", "brand")),
                button(tr.plain("Format: {ratio}", ratio=aspect.value), tap("open", "aspect")),
            ],
            [
                button(tr.plain("Variants: {n}", n=draft.count), tap("set", "count", count)),
                button(enhance, tap("set", "enhance", str(int(not draft.enhance)))),
            ],
            [no_photo] if draft.photo_key else [],
        ]
    )


def draft_choice(
    tr: Texts, draft: Draft, field: str, brands: Sequence[Brand]
) -> InlineKeyboardMarkup:
    """The values one field of a draft can take; the present one is marked."""
    present, values, width = _choices(tr, draft, field, brands)
    buttons = [
        button(
            marked(label, value == present),
            DraftTap(request_id=draft.id, do="set", field=field, value=value),
        )
        for value, label in values
    ]
    back = button(tr.plain("‹ Back"), DraftTap(request_id=draft.id, do="back"))
    first = field == "brand" and not brands
    new = [button(tr.plain("🆕 New brand"), BrandTap(do="new"))] if first else []
    return markup([*in_rows(buttons, width), new, [back]])


def _choices(
    tr: Texts, draft: Draft, field: str, brands: Sequence[Brand]
) -> tuple[str, list[tuple[str, str]], int]:
    """The field's present value, its (value, label) pairs and how many go in a row."""
    if field == "platform":
        codes = [(code, names.platform(tr, code)) for code in names.PLATFORMS]
        return draft.platform or "", [*codes, ("", tr.plain("Any platform"))], 3
    if field == "goal":
        codes = [(code, names.goal(tr, code)) for code in names.GOALS]
        return draft.goal or "", [*codes, ("", tr.plain("any goal"))], 2
    if field == "aspect":
        aspects = [(value.name, names.aspect(tr, value)) for value in Aspect]
        present = Aspect(draft.aspect).name if draft.aspect else ""
        return present, [*aspects, ("", tr.plain("as the platform wants"))], 1
    present = str(draft.brand.id) if draft.brand else ""
    listed = [
        (str(brand.id), f"🧊 {brand.name}" if brand.is_frozen else brand.name) for brand in brands
    ]
    return present, [*listed, ("", tr.plain("no brand, neutral style"))], 1


def use_caption(tr: Texts, request_id: int) -> InlineKeyboardMarkup:
    """Turns the offer into the draft card."""
    tap = DraftTap(request_id=request_id, do="back")
    return markup([[button(tr.plain("✍️ Draw from the caption"), tap)]])


# --- a task and its album ---


def status(tr: Texts, shown: str, task_id: int) -> InlineKeyboardMarkup | None:
    if shown in ("queued", "running"):
        return markup([[button(tr.plain("✕ Cancel"), CancelTap(task_id=task_id))]])
    if shown in ("failed", "cancelled"):
        return markup([[button(tr.plain("🔁 Try again"), RetryTap(task_id=task_id))]])
    if shown in ("unknown", "undeliverable"):
        return markup([[button(tr.plain("🔁 Show again"), ResendTap(task_id=task_id))]])
    return None


def actions(tr: Texts, album: AlbumView) -> InlineKeyboardMarkup:
    def tap(do: str, rank: int = 0) -> AlbumTap:
        return AlbumTap(task_id=album.task_id, do=do, rank=rank)

    # Under a team's album there are votes beside them: what they do must be in words.
    def take(rank: int) -> str:
        return str(rank) if album.team is None else tr.plain("Take №{rank}", rank=rank)

    like = album.chosen_rank or 1
    ranks = [
        button(
            marked(take(image.rank), image.rank == album.chosen_rank),
            tap("choose", image.rank),
            "success" if image.rank == album.chosen_rank else None,
        )
        for image in album.images
    ]
    return markup(
        [
            *(in_rows(ranks, 4 if album.team is None else 2) if len(ranks) > 1 else []),
            [
                button(tr.plain("🔁 More variants"), tap("more")),
                button(tr.plain("🎯 Like №{rank}", rank=like), tap("similar", like)),
            ],
            [
                button(tr.plain("📥 PNG originals"), tap("png")),
                button(tr.plain("🤔 Why?"), tap("why")),
            ],
            [button(tr.plain("📣 To the channel"), tap("post"))],
            *team_keyboards.album_rows(tr, album),
        ]
    )


def back_to_actions(tr: Texts, task_id: int) -> InlineKeyboardMarkup:
    return markup([[button(tr.plain("‹ Back"), AlbumTap(task_id=task_id, do="back"))]])


# --- brands ---


def brands(tr: Texts, listed: Sequence[Brand], *, is_full: bool) -> InlineKeyboardMarkup:
    """`is_full`: the plan keeps no more, so a new one begins with the plans."""
    rows = [
        [button(_brand_label(brand), BrandTap(do="open", brand_id=brand.id))] for brand in listed
    ]
    more = (
        button(tr.plain("💎 More brands: plans"), PlanTap(do="show", account_id=0))
        if is_full
        else button(tr.plain("🆕 New brand"), BrandTap(do="new"))
    )
    return markup([*rows, [more]])


def _brand_label(brand: Brand) -> str:
    mark = "🧊 " if brand.is_frozen else "⭐ " if brand.is_default else ""
    return mark + brand.name


def brand(tr: Texts, brand: Brand) -> InlineKeyboardMarkup:
    def tap(do: str, value: str = "") -> BrandTap:
        return BrandTap(do=do, brand_id=brand.id, value=value)

    if brand.is_frozen:
        return markup(
            [
                [button(tr.plain("💎 Plans"), PlanTap(do="show", account_id=0))],
                [button(tr.plain("🗑 Delete"), tap("delete"))],
                [button(tr.plain("‹ All brands"), BrandTap(do="list"))],
            ]
        )
    default = (
        button(tr.plain("☆ Not in new drafts"), tap("undefault"))
        if brand.is_default
        else button(tr.plain("⭐ Into new drafts"), tap("default"))
    )
    return markup(
        [
            [
                button(tr.plain("✏️ Name"), tap("edit", "name")),
                button(tr.plain("✏️ Style"), tap("edit", "style")),
                button(tr.plain("✏️ Colours"), tap("edit", "palette")),
            ],
            [button(tr.plain("📣 What its posts say"), tap("posts"))],
            [default, button(tr.plain("🗑 Delete"), tap("delete"))],
            [button(tr.plain("‹ All brands"), BrandTap(do="list"))],
        ]
    )


def sure_to_delete_brand(tr: Texts, brand_id: int) -> InlineKeyboardMarkup:
    return markup(
        [
            [
                button(tr.plain("🗑 Yes, delete"), BrandTap(do="sure", brand_id=brand_id), "danger"),
                button(tr.plain("‹ Keep it"), BrandTap(do="open", brand_id=brand_id)),
            ]
        ]
    )


def presets(tr: Texts) -> InlineKeyboardMarkup:
    buttons = [
        button(names.preset(tr, preset), BrandTap(do="preset", value=code))
        for code, preset in PRESETS.items()
    ]
    return markup([*in_rows(buttons, 2), [_cancel_dialogue(tr)]])


def palette_step(tr: Texts, *, has_some: bool) -> InlineKeyboardMarkup:
    """`has_some`: colours came with a preset, and not answering keeps them."""
    label = tr.plain("Keep the style's colours") if has_some else tr.plain("Skip the colours")
    return markup([[button(label, BrandTap(do="skip"))], [_cancel_dialogue(tr)]])


def cancel_dialogue(tr: Texts) -> InlineKeyboardMarkup:
    return markup([[_cancel_dialogue(tr)]])


def _cancel_dialogue(tr: Texts) -> InlineKeyboardButton:
    return button(tr.plain("✕ Cancel"), BrandTap(do="cancel"))


# --- history and settings ---


def history(tr: Texts, page: HistoryPage, *, first_page: bool) -> InlineKeyboardMarkup:
    """A number for each album on the page, then the way to older and newer ones."""
    numbers = [
        button(str(number), HistoryTap(do="item", task_id=item.task_id))
        for number, item in enumerate(page.items, start=1)
    ]
    paging: Row = []
    if not first_page:
        paging.append(button(tr.plain("‹ To the newest"), HistoryTap(do="page")))
    if page.next_before_id is not None:
        older = HistoryTap(do="page", before=page.next_before_id)
        paging.append(button(tr.plain("Older ›"), older))
    return markup([numbers, paging])


def history_item(tr: Texts, task_id: int) -> InlineKeyboardMarkup:
    def tap(do: str) -> HistoryTap:
        return HistoryTap(do=do, task_id=task_id)

    return markup(
        [
            [button(tr.plain("🖼 Open the album"), tap("open"))],
            [
                button(tr.plain("🔁 Repeat"), tap("repeat")),
                button(tr.plain("✏️ With changes"), tap("change")),
            ],
            [
                button(tr.plain("🗑 Delete"), tap("delete")),
                button(tr.plain("‹ History"), HistoryTap(do="page")),
            ],
        ]
    )


def sure_to_delete_album(tr: Texts, task_id: int) -> InlineKeyboardMarkup:
    def tap(do: str) -> HistoryTap:
        return HistoryTap(do=do, task_id=task_id)

    return markup(
        [
            [
                button(tr.plain("🗑 Yes, delete"), tap("sure"), "danger"),
                button(tr.plain("‹ Keep it"), tap("item")),
            ]
        ]
    )


def settings(
    tr: Texts, settings: UserSettings, user_id: int, max_count: int
) -> InlineKeyboardMarkup:
    def tap(field: str, value: str = "") -> SettingsTap:
        return SettingsTap(user_id=user_id, field=field, value=value)

    locales = [
        button(marked(label, code == tr.locale), tap("locale", code))
        for code, label in names.LOCALES.items()
    ]
    counts = [
        button(marked(str(n), n == min(settings.count, max_count)), tap("count", str(n)))
        for n in range(1, max_count + 1)
    ]
    aspects = [
        button(
            marked(value.value, value.value == settings.aspect),
            tap("aspect", value.name),
        )
        for value in Aspect
    ]
    auto = button(
        marked(tr.plain("Format: as the platform wants"), settings.aspect is None),
        tap("aspect"),
    )
    enhance = (
        tr.plain("Improve prompt: on") if settings.enhance else tr.plain("Improve prompt: off")
    )
    switch = button(enhance, tap("enhance", str(int(not settings.enhance))))
    return markup([locales, counts, [auto], aspects, [switch]])


def menu_labels(page: str) -> frozenset[str]:
    """What the menu's button for a page may say, in any language."""
    return frozenset(texts.of(locale).plain(MENU[page]) for locale in texts.LOCALES)
