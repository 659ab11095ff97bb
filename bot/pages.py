"""What the pages of the menu say: start, help, brands, history, settings. Pure, like `views`."""

from __future__ import annotations

from collections.abc import Sequence

from bot import keyboards, names, texts
from bot.dialogue import Answers
from bot.palette import MAX_COLOURS, Codes
from bot.texts import N_, Html, Texts
from bot.views import Card, kin, shortened, variants
from db.views import AlbumView, Brand, Draft, HistoryPage, UserSettings
from pipeline.types import Aspect

_QUOTED = 120


def welcome(tr: Texts, name: str) -> Html:
    """The greeting that brings the menu; the examples follow in a message of their own."""
    return tr(
        "👋 Hi, {name}! I turn a rough idea into pictures ready to post.\n"
        "Write what you need in your own words: I improve the prompt, draw up to four variants, "
        "score them and put the best one first.",
        name=name,
    )


def try_example(tr: Texts) -> Card:
    return Card(tr("Try it now, tap an example:"), keyboards.examples(tr))


def greeting(tr: Texts) -> Card:
    """In answer to a greeting alone."""
    text = tr("👋 Hello! Say in one message what to draw, or take an example:")
    return Card(text, keyboards.examples(tr))


def create(tr: Texts) -> Card:
    """What the menu's first button says."""
    return Card(
        tr(
            "✍️ <b>Describe the picture in one message</b>\n"
            "What it is, where it goes, in what mood: “an autumn banner for the site, pumpkins, "
            "warm light”. Or take an example:"
        ),
        keyboards.examples(tr),
    )


def group_welcome(tr: Texts, username: str) -> Html:
    return tr(
        "👋 I draw pictures for posts, and now for this team too.\n"
        "Write <code>/gen@{username} autumn menu of a coffee shop</code>, or reply to any message "
        "of mine with your idea. Everybody here shares the brands and the history.",
        username=username,
    )


def group_again(tr: Texts, username: str) -> Html:
    """To a group that the bot was put out of."""
    return tr(
        "👋 I am back. The team, its roles, brands, albums and journal are as they were: "
        "/team@{username}",
        username=username,
    )


def help_page(tr: Texts) -> Html:
    return tr(
        "<b>How it works</b>\n"
        "✍️ Write an idea: a draft comes back, its buttons change platform, goal, brand, format "
        "and number of variants.\n"
        "🖼 A photo with a caption becomes a picture that starts from it, where the generator can.\n"
        "⚡ <code>/gen text</code> draws at once, without a draft.\n"
        "🖊 Edit your message before you tap Create, and the draft follows.\n"
        "🏆 The album comes in order of score. Take one, ask for more, or for pictures like it; "
        "“Why?” explains the scores.\n"
        "🎨 A brand keeps your style and colours: /brands\n"
        "🗂 Everything drawn: /history\n"
        "📣 Posts to your channels, now or at a time: /channels, /plan_posts\n"
        "📊 What came of them: /stats\n"
        "💳 Money: /wallet, what a plan gives: /plans\n"
        "👥 In a group the team draws, votes and approves: /team\n"
        "⚙️ Language, number, format: /settings\n"
        "↩️ Stop any dialogue: /cancel"
    )


def gen_usage(tr: Texts) -> Html:
    return tr(
        "Write what to draw after the command, for example:\n"
        "<code>/gen autumn menu of a coffee shop for Instagram</code>"
    )


def photo_question(tr: Texts, *, in_group: bool) -> Card:
    """For a photo without a word."""
    text = tr(
        "🖼 <b>What should become of this photo?</b> Say it in words, for example "
        "“watercolour, a winter evening”."
    )
    if in_group:
        text = Html(text + tr("\n<i>Answer by replying to this message.</i>"))
    return Card(text, keyboards.cancel_dialogue(tr))


def no_picture_input(tr: Texts) -> Html:
    return tr(
        "🖼 I can't draw from a picture now: the generator at work here reads words only. "
        "Describe what you want in words, please."
    )


def what_can_be_sent(tr: Texts, *, photos: bool) -> Html:
    """For a file, a voice message and the like; `photos`: a picture can start from one."""
    if photos:
        return tr(
            "🙂 I can't make a picture of this. Send words: what should be in the picture; or a "
            "photo (JPEG, PNG, WebP), with words, to start from it."
        )
    return tr(
        "🙂 I can't make a picture of this. Send words: what should be in the picture. A logo "
        "(JPEG, PNG, WebP) gives a brand its colours: /brands"
    )


def caption_offer(tr: Texts, draft: Draft) -> Card:
    """For a photo with a caption: honest about the photo, helpful about the words."""
    text = tr(
        "🖼 I can't draw from a picture now: the generator at work here reads words only. "
        "But I can draw from the caption:\n<blockquote>{prompt}</blockquote>",
        prompt=shortened(draft.cleaned_prompt, 700),
    )
    return Card(text, keyboards.use_caption(tr, draft.id))


# --- brands ---


def brands(tr: Texts, listed: Sequence[Brand], limit: int) -> Card:
    """`limit` is how many the plan keeps."""
    if not listed:
        text = tr(
            "🎨 <b>Brands</b>\n"
            "A brand keeps a style and colours, and every picture follows them. "
            "It takes three short messages."
        )
        text = Html(text + "\n" + _kept(tr, limit))
    else:
        text = tr(
            "🎨 <b>Brands: {n} of {limit}</b>\nThe one with a star goes into every new draft.",
            n=len(listed),
            limit=limit,
        )
        if any(brand.is_frozen for brand in listed):
            text = Html(f"{text}\n{_frozen(tr, limit)}")
        elif len(listed) >= limit:
            text = Html(f"{text}\n{_kept(tr, limit)}")
    return Card(text, keyboards.brands(tr, listed, is_full=len(listed) >= limit))


def _kept(tr: Texts, limit: int) -> Html:
    return tr.n(
        "Your plan keeps up to {n} brand.",
        "Your plan keeps up to {n} brands.",
        limit,
    )


def _frozen(tr: Texts, limit: int) -> Html:
    return tr.n(
        "🧊 Frozen is what is over your plan's {n} brand: it is kept, and comes back with a "
        "larger plan or when another is deleted.",
        "🧊 Frozen is what is over your plan's {n} brands: it is kept, and comes back with a "
        "larger plan or when another is deleted.",
        limit,
    )


def brand(tr: Texts, brand: Brand, unknown: Sequence[str] = ()) -> Card:
    """A brand's page; `unknown` are words of its style that were only transliterated."""
    lines = [tr("🎨 <b>{name}</b>", name=brand.name)]
    lines.append(tr("Style: {style}", style=brand.style_original))
    lines.append(tr("In the prompt: <code>{style}</code>", style=brand.style_short))
    if unknown:
        lines.append(tr("Words I did not know: {words}", words=shortened(", ".join(unknown), 200)))
    if brand.palette:
        colours = Html(" ".join(tr("<code>{hex}</code>", hex=colour) for colour in brand.palette))
        lines.append(tr("Colours: {colours}", colours=colours))
    else:
        lines.append(tr("Colours: any"))
    if brand.is_default:
        lines.append(tr("⭐ Goes into every new draft"))
    if brand.is_frozen:
        lines.append(
            tr(
                "🧊 Frozen: your plan keeps fewer brands. It comes back with a larger plan, or "
                "when another is deleted."
            )
        )
    return Card(Html("\n".join(lines)), keyboards.brand(tr, brand))


def sure_to_delete_brand(tr: Texts, brand: Brand) -> Card:
    return Card(
        tr("Delete the brand “{name}”? Albums drawn with it stay.", name=brand.name),
        keyboards.sure_to_delete_brand(tr, brand.id),
    )


_NEW_BRAND = {
    "name": N_("🎨 <b>New brand, 1 of 3.</b> What is it called? (up to 40 characters)"),
    "style": N_(
        "🎨 <b>2 of 3.</b> Describe the style in a few words, for example "
        "“warm, cosy, natural wood, soft light”. Or take a ready one:"
    ),
    "palette": N_(
        "🎨 <b>3 of 3.</b> Brand colours, up to five: names such as “black, gold” or codes such as "
        "<code>#6c3ce9 #ffffff</code>. Or send a logo, and I will take them from it."
    ),
}

_CHANGED_BRAND = {
    "name": N_("✏️ What is the new name? (up to 40 characters)"),
    "style": N_("✏️ Describe the new style in a few words, or take a ready one:"),
    "palette": N_(
        "✏️ The new colours, up to five: names such as “black, gold”, codes such as "
        "<code>#6c3ce9 #ffffff</code>, or a logo."
    ),
}


def brand_question(tr: Texts, step: str, answers: Answers, *, in_group: bool) -> Card:
    """A question of the brand dialogue. `step`: name, style, palette."""
    text = tr((_CHANGED_BRAND if "brand_id" in answers else _NEW_BRAND)[step])
    if in_group:
        text = Html(text + tr("\n<i>Answer by replying to this message.</i>"))
    if step == "style":
        return Card(text, keyboards.presets(tr))
    if step == "palette":
        return Card(text, keyboards.palette_step(tr, has_some=bool(answers.get("palette"))))
    return Card(text, keyboards.cancel_dialogue(tr))


def bad_colours(tr: Texts, codes: Codes) -> Html:
    if codes.bad:
        return tr(
            "I don't know these as colours: {words}. Take a simpler name, such as “dark blue”, or "
            "a code, # and six digits or letters from a to f: <code>#6c3ce9</code>.",
            words=shortened(", ".join(codes.bad), 200),
        )
    return tr("From one to {n} colours, please.", n=MAX_COLOURS)


# --- history ---


def history(tr: Texts, page: HistoryPage, *, first_page: bool) -> Card:
    if not page.items:
        return Card(
            tr("🗂 <b>No albums yet.</b> Send an idea, and the first will be here.")
            if first_page
            else tr("🗂 <b>No older albums.</b>"),
            keyboards.history(tr, page, first_page=first_page),
        )
    lines = [tr("🗂 <b>History</b>: tap a number")]
    for number, item in enumerate(page.items, start=1):
        told = [variants(tr, item.count), kin(tr, item.origin)]
        lines.append(
            tr(
                "<b>{number}.</b> {when} · {variants}\n{prompt}",
                number=number,
                when=tr.when(item.finished_at),
                variants=Html(" · ".join(filter(None, told))),
                prompt=shortened(item.cleaned_prompt, _QUOTED),
            )
        )
    return Card(Html("\n\n".join(lines)), keyboards.history(tr, page, first_page=first_page))


def history_item(tr: Texts, album: AlbumView) -> Card:
    best = album.images[0]
    text = tr(
        "🗂 <b>{when}</b> · {variants}, the best {score}\n<blockquote>{prompt}</blockquote>",
        when=tr.when(album.finished_at),
        variants=variants(tr, len(album.images)),
        score=tr.decimal(best.final_score),
        prompt=shortened(album.cleaned_prompt, 700),
    )
    text = Html(text + tr("\n<i>{judge}</i>", judge=names.judge(tr, album.judge)))
    return Card(text, keyboards.history_item(tr, album.task_id))


def sure_to_delete_album(tr: Texts, task_id: int, scheduled: int) -> Card:
    """`scheduled`: so many posts of it are still to go out."""
    text = tr("Delete this album from the history? Messages already in the chat stay.")
    if scheduled:
        more = tr.n(
            "🕒 {n} post of it is scheduled and will go out all the same; call it off if it should "
            "not: /plan_posts",
            "🕒 {n} posts of it are scheduled and will go out all the same; call them off if they "
            "should not: /plan_posts",
            scheduled,
        )
        text = Html(f"{text}\n{more}")
    return Card(text, keyboards.sure_to_delete_album(tr, task_id))


# --- settings ---


def settings(settings: UserSettings, locale: str, user_id: int, max_count: int) -> Card:
    """`max_count`: no more variants are offered, whatever was saved."""
    tr = texts.of(locale)
    return Card(
        tr(
            "⚙️ <b>Settings</b>\n"
            "What every new draft starts with, in the order of the buttons:\n"
            "🌐 language: {language}\n"
            "🔢 variants in an album: {count}\n"
            "📐 format: {aspect}\n"
            "✨ improve the prompt: {enhance}",
            language=names.LOCALES[locale],
            count=min(settings.count, max_count),
            aspect=_aspect(tr, settings),
            enhance=tr.plain("yes") if settings.enhance else tr.plain("no"),
        ),
        keyboards.settings(tr, settings, user_id, max_count),
    )


def _aspect(tr: Texts, settings: UserSettings) -> str:
    if settings.aspect is None:
        return tr.plain("as the platform wants")
    return names.aspect(tr, Aspect(settings.aspect))
