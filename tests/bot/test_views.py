"""Cards and captions: within Telegram's limits, right in words, whatever a person typed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import album_views, team_views, texts, views
from bot.texts import Html, without_markup
from db.queue import Progress
from db.states import RequestState, Role, Shown
from db.team_views import TeamChoice
from db.views import AlbumView, Brief, Draft, Locale, PredictionView, PromptRecord

BRIEF: Brief = {
    "raw_prompt": "кофе",
    "cleaned_prompt": "кофе",
    "platform": None,
    "goal": None,
    "aspect": None,
    "count": 4,
    "seed": 7,
    "enhance": True,
    "brand": None,
    "variation": None,
}


def image(rank: int, clip_n: float, aes_n: float, **details: float) -> PredictionView:
    return PredictionView(
        id=rank,
        rank=rank,
        seed=rank,
        storage_key="x",
        sha256="0" * 64,
        width=1,
        height=1,
        size_bytes=1,
        clip_raw=0.3,
        clip_n=clip_n,
        aes_raw=5.0,
        aes_n=aes_n,
        final_score=0.7 * clip_n + 0.3 * aes_n,
        gen_meta={"details": details},
        photo_file_id=None,
        document_file_id=None,
    )


ALBUM = AlbumView(
    task_id=1,
    request_id=1,
    user_id=1,
    locale="ru",
    cleaned_prompt="кофе",
    brief=BRIEF,
    prompt=PromptRecord("coffee", "", "coffee", "lexicon"),
    images=(image(1, 0.81, 0.87), image(2, 0.5, 0.87)),
    chosen_rank=None,
    judge="pixels",
    generator="mock",
    timings_ms={"total": 900.0},
    finished_at=datetime(2026, 11, 23, tzinfo=UTC),
)

DRAFT = Draft(
    id=1,
    account_id=1,
    user_id=1,
    chat_id=1,
    thread_id=None,
    source_message_id=1,
    raw_prompt="x",
    cleaned_prompt="x",
    platform=None,
    goal=None,
    aspect=None,
    count=4,
    enhance=True,
    brand=None,
    seed=1,
    locale="ru",
    card_message_id=None,
    state=RequestState.DRAFT,
)

prompts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=2000)


@given(prompts)
def test_a_caption_never_exceeds_telegrams_limit(prompt: str) -> None:
    images = tuple(replace(ALBUM.images[0], rank=rank) for rank in range(1, 5))
    album = replace(ALBUM, cleaned_prompt=prompt, images=images)
    assert views.length(without_markup(album_views.caption(album))) <= views.CAPTION_LIMIT


@given(prompts)
def test_cards_never_exceed_telegrams_limit(prompt: str) -> None:
    record = PromptRecord(prompt, prompt, prompt, "lexicon", (prompt, prompt))
    cards = [
        views.draft_card(
            replace(DRAFT, cleaned_prompt=prompt), 4, Html(""), asked=4, can_start_from_photos=True
        ),
        album_views.why(replace(ALBUM, prompt=record)),
        *(views.status_card("ru", shown, 1, prompt) for shown in Shown),
    ]
    for card in cards:
        assert 1 <= views.length(without_markup(card.text)) <= views.TEXT_LIMIT


def test_words_that_can_not_be_drawn_are_named_wherever_they_are_missed() -> None:
    prompt = "булочки, надпись «Свежий хлеб»"
    draft = replace(DRAFT, cleaned_prompt=prompt)
    cards = [
        views.draft_card(draft, 4, Html(""), asked=4, can_start_from_photos=True).text,
        album_views.caption(replace(ALBUM, cleaned_prompt=prompt)),
        album_views.why(replace(ALBUM, cleaned_prompt=prompt)).text,
    ]
    for text in cards:
        assert "🔤 Надписей на картинках нет: «Свежий хлеб» возьмите в текст поста" in text
    assert "🔤" not in album_views.caption(ALBUM)


@given(prompts, st.integers(2, 100))
def test_shortened_texts_stay_whole_characters(prompt: str, limit: int) -> None:
    short = views.shortened(prompt, limit)
    assert views.length(short) <= limit
    short.encode("utf-8")


@pytest.mark.parametrize(
    ("progress", "words", "percent"),
    [
        (Progress("enhance", 0, 1), "Улучшаю промт", "0 %"),
        (Progress("generate", 0, 4), "Рисую 1/4", "10 %"),
        (Progress("generate", 2, 4), "Рисую 3/4", "48 %"),
        (Progress("generate", 2, 4, 0.5), "Рисую 3/4", "57 %"),
        (Progress("generate", 4, 4), "Рисую 4/4", "85 %"),
        (Progress("judge", 0, 1), "Оцениваю", "85 %"),
        (None, "Отправляю альбом", "97 %"),
    ],
)
def test_the_bar_moves_through_the_stages(
    progress: Progress | None, words: str, percent: str
) -> None:
    text = views.status_card("ru", "running", 1, "кофе", progress=progress).text
    assert words in text
    assert percent in text


def test_the_queue_shows_place_and_estimate() -> None:
    text = views.status_card("ru", "queued", 1, "кофе", place=3, eta_s=40).text
    assert "номер 3</b>" in text or "номер 3" in text
    assert "примерно 40 с" in text


@pytest.mark.parametrize(
    "code",
    ["worker_died", "backend_unavailable", "out_of_memory", "bad_brief", "new", None],
)
def test_a_failure_says_what_next_and_offers_another_go(code: str | None) -> None:
    card = views.status_card("ru", "failed", 1, "кофе", error_code=code)
    assert "Не получилось" in card.text
    assert card.keyboard is not None
    assert card.keyboard.inline_keyboard[0][0].text == "🔁 Запустить снова"


def test_lack_of_memory_is_named() -> None:
    card = views.status_card("ru", "failed", 1, "кофе", error_code="out_of_memory")
    assert "не хватило памяти" in card.text


def test_an_unsure_delivery_offers_to_show_again() -> None:
    for shown in ("unknown", "undeliverable"):
        keyboard = views.status_card("ru", shown, 1, "кофе").keyboard
        assert keyboard is not None
        assert keyboard.inline_keyboard[0][0].text == "🔁 Показать ещё раз"


def test_a_match_that_nobody_measured_is_no_number() -> None:
    pictures = (image(1, 0.5, 0.9), image(2, 0.5, 0.4))
    unseen = tuple(replace(one, gen_meta={"match_measured": False}) for one in pictures)
    album = replace(ALBUM, images=unseen)
    assert "№1 <b>0,62</b>: сюжет не оценивался, эстетика 0,90" in album_views.caption(album)
    why = album_views.why(album).text
    assert "№2 <b>0,47</b>: сюжет не оценивался, эстетика 0,40" in why
    assert "считается за 0,50" in why
    assert "№2 тянет вниз эстетика" in why


def test_why_names_what_cost_the_weakest_most() -> None:
    assert "№2 тянет вниз сюжет: 0,50 против 0,81 у №1" in album_views.why(ALBUM).text
    even = replace(ALBUM, images=(image(1, 0.5, 0.5), image(2, 0.5, 0.5)))
    assert "тянет вниз" not in album_views.why(even).text
    alone = replace(ALBUM, images=ALBUM.images[:1])
    assert "тянет вниз" not in album_views.why(alone).text


def test_why_names_the_measure_that_fell_furthest() -> None:
    images = (
        image(1, 0.8, 0.8, contrast=0.9, sharpness=0.9, contrast_raw=50),
        image(2, 0.8, 0.4, contrast=0.8, sharpness=0.2, contrast_raw=1),
    )
    assert "больше всего: резкость" in album_views.why(replace(ALBUM, images=images)).text


def test_why_names_no_measure_of_another_part_of_the_score() -> None:
    images = (
        image(1, 0.8, 0.8, palette=0.8, contrast=0.9),
        image(2, 0.5, 0.7, palette=0.5, contrast=0.1),
    )
    why = album_views.why(replace(ALBUM, images=images)).text
    assert (
        "№2 тянет вниз сюжет: 0,50 против 0,80 у №1 (больше всего: попадание в заданные цвета)"
        in why
    )
    images = (
        image(1, 0.8, 0.8, palette=0.8, contrast=0.9),
        image(2, 0.7, 0.3, palette=0.1, contrast=0.9),
    )
    why = album_views.why(replace(ALBUM, images=images)).text
    assert "№2 тянет вниз эстетика: 0,30 против 0,80 у №1" in why
    assert "больше всего" not in why


def test_a_real_judge_is_named() -> None:
    assert "оценивает clip" in album_views.caption(replace(ALBUM, judge="clip"))
    clip = replace(ALBUM, judge="clip-vit-base-patch32 (openvino-bf16)")
    caption = album_views.caption(clip)
    assert "оценивает нейросеть CLIP ViT-B/32 + LAION</i>" in caption
    why = album_views.why(clip).text
    assert "оценивает нейросеть CLIP ViT-B/32 + LAION (OpenVINO, bf16)" in why
    english = album_views.why(replace(clip, locale="en")).text
    assert "scored by a neural network, CLIP ViT-B/32 + LAION (OpenVINO, bf16)" in english
    own = replace(ALBUM, judge="my-clip (torch-fp32)")
    assert "оценивает нейросеть my-clip</i>" in album_views.caption(own)


def test_why_tells_what_a_neural_judge_read_off_each_picture() -> None:
    images = (
        image(1, 0.8, 0.8, prompt_match=0.318, beauty=6.2, unsafe=0.004),
        image(2, 0.8, 0.4, prompt_match=0.316, beauty=4.1, unsafe=0.91),
    )
    text = album_views.why(replace(ALBUM, images=images)).text
    assert (
        "сходство с промтом (косинус) 0,32 · красота (из 10) 6,20 · вероятность откровенного 0,00"
        in text
    )
    assert "вероятность откровенного 0,91" in text
    # They are the very parts of the score: none of them is what "most of all" pulled it down.
    assert "№2 тянет вниз эстетика" in text
    assert "больше всего" not in text


def test_an_order_that_is_not_by_score_is_said_to_be_one() -> None:
    images = (image(1, 0.8, 0.8), image(2, 0.5, 0.8), image(3, 0.7, 0.8))
    album = replace(ALBUM, images=images)
    assert "<i>порядок учитывает разнообразие</i>" in album_views.caption(album)
    why = album_views.why(album).text
    assert "Порядок учитывает разнообразие; по одной оценке: №1, №3, №2" in why
    assert "№2 тянет вниз сюжет" in why  # the lowest, not the last
    assert "order allows for variety" in album_views.caption(replace(album, locale="en"))
    even = replace(ALBUM, images=(image(1, 0.8, 0.8), image(2, 0.8, 0.8)))
    for plain in (ALBUM, even):
        assert "разнообразие" not in album_views.caption(plain) + album_views.why(plain).text


@pytest.mark.parametrize(
    ("locale", "mark"), [("ru", "другой ракурс №1"), ("en", "another angle of №1")]
)
def test_a_near_twin_is_marked_on_its_own_line(locale: Locale, mark: str) -> None:
    twin = replace(image(2, 0.5, 0.87), gen_meta={"twin_of": 1, "score_rank": 2})
    alone = replace(image(3, 0.4, 0.87), gen_meta={"twin_of": None, "score_rank": 3})
    album = replace(ALBUM, locale=locale, images=(ALBUM.images[0], twin, alone))
    for text in (album_views.caption(album), album_views.why(album).text):
        assert [mark in line for line in text.splitlines() if line.startswith("№")][:3] == [
            False,
            True,
            False,
        ]


def test_every_callback_fits_into_64_bytes() -> None:
    from bot.callbacks import (
        AlbumTap,
        BrandTap,
        CureTap,
        DraftTap,
        HistoryTap,
        PlanTap,
        SettingsTap,
        WalletTap,
    )

    huge = 2**63 - 1
    # A purchase has no room for two such ids: a billion accounts will do.
    account_id, period_id = 10**9 - 1, 10**10 - 1
    code, kopecks = "a" * 16, 9_999_999_99
    taps = [
        DraftTap(request_id=huge, do="set", field="platform", value="presentation"),
        DraftTap(request_id=huge, do="set", field="brand", value=str(huge)),
        AlbumTap(task_id=huge, do="similar", rank=4),
        BrandTap(do="undefault", brand_id=huge),
        BrandTap(do="edit", brand_id=huge, value="palette"),
        HistoryTap(do="change", task_id=huge),
        HistoryTap(do="page", before=huge),
        SettingsTap(user_id=huge, field="aspect", value="LANDSCAPE"),
        WalletTap(do="cancel", account_id=huge, value=huge),
        WalletTap(do="page", account_id=huge, value=huge),
        WalletTap(do="pay", account_id=huge, value=kopecks, method="provider", plan=code),
        PlanTap(do="change", account_id=huge, value=code),
        PlanTap(
            do="buy",
            account_id=account_id,
            value=code,
            period_id=period_id,
            at=10**10 - 1,
            sum=kopecks,
        ),
        CureTap(do="pay", account_id=huge, sum=kopecks),
    ]
    assert all(len(tap.pack().encode()) <= 64 for tap in taps)


@pytest.mark.parametrize(
    ("locale", "mark", "reason"),
    [
        ("ru", "промт без LLM", "без LLM, по словарю: языковая модель не успела ответить"),
        ("en", "prompt without an LLM", "by the dictionary: it did not answer in time"),
    ],
)
def test_a_prompt_without_the_language_model_is_said_to_be_one(
    locale: Locale, mark: str, reason: str
) -> None:
    album = replace(ALBUM, locale=locale)
    assert mark not in album_views.caption(album)
    late = replace(album, prompt=replace(album.prompt, fallback="timeout"))
    assert mark in album_views.caption(late)
    assert reason in album_views.why(late).text


def test_a_reason_without_a_name_still_makes_a_sentence() -> None:
    album = replace(ALBUM, prompt=replace(ALBUM.prompt, fallback="gremlins"))
    assert "языковая модель недоступна" in album_views.why(album).text


@pytest.mark.parametrize("locale", texts.LOCALES)
def test_somebody_of_many_teams_is_shown_as_many_as_a_message_holds(locale: str) -> None:
    teams = [TeamChoice(id_, "Я" * 128, Role.APPROVER) for id_ in range(1, 151)]
    card = team_views.workplaces(texts.of(locale), teams, 1)
    assert views.length(without_markup(card.text)) <= views.TEXT_LIMIT
    assert card.keyboard is not None
    assert sum(map(len, card.keyboard.inline_keyboard)) <= 100
