"""Cleaning a message, seeing platform and goal in it, and what makes no brief."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline import triggers
from pipeline.brief import (
    GOALS,
    MAX_PROMPT_CHARS,
    PLATFORMS,
    clean_text,
    detect_goal,
    detect_platform,
    make_brief,
)
from pipeline.errors import BadBrief
from pipeline.types import Aspect, BrandStyle, Variation


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  осенний   латте \n", "осенний латте"),
        ("Осенний латте ☕️🍂", "Осенний латте"),
        ("кот 👩‍🍳 и пёс", "кот и пёс"),
        ("<b>Скидка</b> &amp; подарок", "Скидка & подарок"),
        ("**Скидка** __на__ `всё`", "Скидка на всё"),
        ("Латте, смотри https://example.com/a?b=1 и www.site.ru", "Латте, смотри и"),
        ("пиши @manager или на mail@site.ru про торт", "пиши или на про торт"),
        ("Осенний латте #кофе #осень #спб", "Осенний латте"),
        ("пост про #осень в кафе", "пост про осень в кафе"),
        ("#осень #кофе", "осень кофе"),
        ("стена #FF8800", "стена #FF8800"),
        ("фон #6c3ce9 и тень#000000, #дом", "фон #6c3ce9 и тень #000000"),
        ("латте #facade #FFFFFF", "латте facade #FFFFFF"),
        ("/gen@vitrina_bot кот", "кот"),
        ("Нарисуй, пожалуйста, кота", "кота"),
        ("Сделай мне красивую картинку с котом", "красивую картинку с котом"),
        ("Привет! Мне нужна картинка, на которой девушка пьёт кофе", "девушка пьёт кофе"),
        ("можешь сгенерировать изображение: чашка кофе", "чашка кофе"),
        ("нужен баннер для сайта", "баннер для сайта"),
        ("Нужен бариста", "Нужен бариста"),
        ("Скидка!!! Только   сегодня...", "Скидка! Только сегодня"),
        ("скидка 20% на латте за 199 ₽", "скидка 20% на латте за 199 ₽"),
        ("карти\u0301на в ра\u0301ме", "картина в раме"),
        ("и\u0306од", "йод"),
        ("слово\u200bсочетание\u2060", "словосочетание"),
        ("- первый\n- второй", "первый второй"),
        ("draw a cat, please", "a cat, please"),
    ],
)
def test_noise_goes_and_sense_stays(raw: str, cleaned: str) -> None:
    assert clean_text(raw) == cleaned


@pytest.mark.parametrize(
    "raw", ["", "   ", "🎉🎉🎉", "!!!", "<b>&", "https://t.me/x", "#", "—", "\u200b"]
)
def test_nothing_but_noise_cleans_to_nothing(raw: str) -> None:
    assert clean_text(raw) == ""


@given(st.text(max_size=300))
@example("нарисуй нарисуй")
@example("&amp;amp;lt;b&amp;gt;")
@example("#a#b #c")
@example("Привет привет картинка картинку")
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    once = clean_text(raw)
    assert clean_text(once) == once


@given(st.text(max_size=300))
def test_what_is_left_has_words_or_is_empty(raw: str) -> None:
    cleaned = clean_text(raw)
    assert cleaned == "" or any(char.isalnum() for char in cleaned)


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("Пост в инсту про латте", "instagram"),
        ("пост для инстаграма", "instagram"),
        ("в Инстаграмм", "instagram"),
        ("Instagram post about coffee", "instagram"),
        ("сторисы для кофейни", "stories"),
        ("сторис в инстаграм", "stories"),
        ("обложка для рилса", "reels"),
        ("картинка для reels", "reels"),
        ("для телеграм-канала", "telegram"),
        ("в тг канал", "telegram"),
        ("пост для телеги", "telegram"),
        ("группа ВКонтакте", "vk"),
        ("пост в ВК", "vk"),
        ("для одноклассников", "ok"),
        ("статья в дзене", "dzen"),
        ("превью для ютуба", "youtube"),
        ("шортс про кота", "shorts"),
        ("видео для тиктока", "tiktok"),
        ("пин для пинтереста", "pinterest"),
        ("рассылка в вотсапе", "whatsapp"),
        ("шапка сайта", "website"),
        ("картинка на лендинг", "website"),
        ("баннера на сайт", "banner"),
        ("карточка товара для вб", "marketplace"),
        ("карточки на озоне", "marketplace"),
        ("email-рассылка", "email"),
        ("листовку про ремонт", "print"),
        ("афишу концерта", "print"),
        ("слайд для презентации", "presentation"),
        ("аватарку для группы", "avatar"),
        ("не для инстаграма, а для сайта", "website"),
    ],
)
def test_platforms_are_seen_in_any_form_and_slang(text: str, platform: str) -> None:
    assert detect_platform(text) == platform


@pytest.mark.parametrize(
    "text",
    [
        "осенний латте",
        "повернись всторону",
        "деревянная телега с тыквами",
        "встреча одноклассников",
        "ок, нарисуй кота",
        "история о любви",
        "джинсовые шорты",
        "карусель в парке",
        "студия растяжки",
        "вкусный завтрак",
        "",
    ],
)
def test_words_that_only_look_like_a_platform_are_none(text: str) -> None:
    assert detect_platform(text) is None


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("реклама кофейни", "promotion"),
        ("промо пост", "promotion"),
        ("рекламный баннер", "promotion"),
        ("скидка 20% на латте", "sale"),
        ("тыквенный латте скидос 20%", "sale"),
        ("pumpkin latte, 20% off until friday", "sale"),
        ("скидки на чёрную пятницу", "sale"),
        ("розыгрыш призов", "sale"),
        ("логотип для пекарни", "branding"),
        ("имиджевое фото", "branding"),
        ("предметная съёмка духов", "product_shot"),
        ("товар на белом фоне", "product_shot"),
        ("анонс новой коллекции", "announcement"),
        ("скоро открытие", "announcement"),
        ("мы открылись", "announcement"),
        ("афиша концерта", "event"),
        ("мастер-класс по лепке", "event"),
        ("поздравление с днём рождения", "holiday"),
        ("новогодняя ёлка", "holiday"),
        ("8 марта", "holiday"),
        ("вакансия бариста", "recruiting"),
        ("ищем флориста", "recruiting"),
        ("5 советов по уходу", "education"),
        ("отзывы клиентов", "testimonial"),
        ("до и после ремонта", "testimonial"),
        ("меню кофейни", "menu"),
        ("black friday sale", "sale"),
    ],
)
def test_goals_are_seen_in_any_form(text: str, goal: str) -> None:
    assert detect_goal(text) == goal


@pytest.mark.parametrize(
    "text", ["осенний латте", "100% хлопок", "без скидок", "подарочный набор", ""]
)
def test_a_plain_subject_has_no_goal(text: str) -> None:
    assert detect_goal(text) is None


def test_every_trigger_leads_to_a_known_code() -> None:
    vocabulary = triggers.vocabulary()
    for table, codes in ((vocabulary.platforms, PLATFORMS), (vocabulary.goals, GOALS)):
        found = {trigger.code for group in table.by_first.values() for trigger in group}
        assert found == set(codes)


@given(st.text(max_size=200))
def test_detection_takes_any_text(text: str) -> None:
    assert detect_platform(text) in (None, *PLATFORMS)
    assert detect_goal(text) in (None, *GOALS)


def test_a_brief_holds_what_was_detected() -> None:
    brief = make_brief("Сделай сторис: скидка 20% на латте 🎉", seed=7)
    assert brief.raw_prompt == "Сделай сторис: скидка 20% на латте 🎉"
    assert brief.cleaned_prompt == "сторис: скидка 20% на латте"
    assert (brief.platform, brief.goal) == ("stories", "sale")
    assert brief.aspect is Aspect.STORY
    assert (brief.seed, brief.count, brief.enhance) == (7, 4, True)


def test_a_choice_by_hand_beats_detection() -> None:
    brand = BrandStyle("Уют", "warm craft style")
    brief = make_brief(
        "сторис: скидка на латте",
        seed=1,
        platform="vk",
        goal="branding",
        brand=brand,
        aspect=Aspect.PORTRAIT,
        count=2,
        enhance=False,
        variation=Variation(seed=5, strength=0.2),
    )
    assert (brief.platform, brief.goal, brief.aspect) == ("vk", "branding", Aspect.PORTRAIT)
    assert (brief.brand, brief.count, brief.enhance) == (brand, 2, False)


def test_a_chosen_platform_brings_its_shape() -> None:
    assert make_brief("латте", seed=1, platform="youtube").aspect is Aspect.LANDSCAPE


@pytest.mark.parametrize("raw", ["", " \n", "🎉", "<b>&", "...", "https://example.com"])
def test_nothing_to_draw_is_refused(raw: str) -> None:
    with pytest.raises(BadBrief) as refused:
        make_brief(raw, seed=1)
    assert refused.value.reason == "empty"


def test_the_longest_prompt_passes_and_one_more_is_refused() -> None:
    longest = "а" * MAX_PROMPT_CHARS
    assert make_brief(longest, seed=1).cleaned_prompt == longest
    with pytest.raises(BadBrief) as refused:
        make_brief(longest + "а", seed=1)
    assert refused.value.reason == "too_long"


def test_length_is_counted_after_cleaning() -> None:
    assert make_brief("латте " + "🎉" * 3000, seed=1).cleaned_prompt == "латте"


@pytest.mark.parametrize("count", [0, 5, -1])
def test_counts_outside_one_to_four_are_refused(count: int) -> None:
    with pytest.raises(BadBrief) as refused:
        make_brief("латте", seed=1, count=count)
    assert refused.value.reason == "count"


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_seeds_outside_31_bits_are_refused(seed: int) -> None:
    with pytest.raises(BadBrief) as refused:
        make_brief("латте", seed=seed)
    assert refused.value.reason == "seed"


def test_unknown_codes_and_impossible_strengths_are_refused() -> None:
    for choice, reason in (({"platform": "myspace"}, "platform"), ({"goal": "fame"}, "goal")):
        with pytest.raises(BadBrief) as refused:
            make_brief("латте", seed=1, **choice)
        assert refused.value.reason == reason
    with pytest.raises(BadBrief) as refused:
        make_brief("латте", seed=1, variation=Variation(seed=1, strength=1.5))
    assert refused.value.reason == "variation"


def test_importing_the_module_loads_no_dictionary() -> None:
    code = "import sys, pipeline.brief; sys.exit('pymorphy3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
