"""The lexicon enhancer: Russian requests in, English prompts out."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.brief import make_brief
from pipeline.enhance import lexicon
from pipeline.enhance.lexicon import LexiconEnhancer, translate_style
from pipeline.enhance.lexicon.prompt import INTENT_WORDS, STYLE_WORDS, enhance, palette_words
from pipeline.enhance.lexicon.rules import rules
from pipeline.enhance.lexicon.vocabulary import vocabulary
from pipeline.errors import BadBrief
from pipeline.styles import PRESETS
from pipeline.types import BrandStyle, Prompt

_CYRILLIC = re.compile("[\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f]")
_WORD_LISTS = sorted(Path(lexicon.__file__).parent.glob("*.toml"))


def prompt_for(text: str, brand: BrandStyle | None = None) -> Prompt:
    return enhance(make_brief(text, seed=1, brand=brand))


def intent(text: str) -> str:
    return prompt_for(text).intent


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        # Agreement and articles.
        ("осенний латте", "an autumn latte"),
        ("большая красная кружка", "a large red mug"),
        ("красный и белый шарф", "a red and white scarf"),
        ("кофе горячий", "hot coffee"),
        ("нежно-розовый маникюр", "a delicate pink manicure"),
        ("очень вкусный торт", "a very delicious cake"),
        ("лучший подарок", "the best gift"),
        ("голубое море", "the light blue sea"),
        ("бургер и картошка фри", "a burger and french fries"),
        # Genitives.
        ("чашка кофе", "a cup of coffee"),
        ("букет красных роз и белых пионов", "a bouquet of red roses and white peonies"),
        ("доставка пиццы", "pizza delivery"),
        ("улыбка девушки", "a young woman's smile"),
        ("портрет девушки", "a portrait of a young woman"),
        ("сапоги коричневого цвета", "brown boots"),
        # Prepositions by case.
        ("осень в кофейне", "autumn in a coffee shop"),
        ("чашка на столе", "a cup on a table"),
        ("ваза у окна", "a vase by the window"),
        ("молоко в чашку", "milk into a cup"),
        ("лампа над столом", "a lamp above a table"),
        ("торт с клубникой и мятой", "a cake with strawberries and mint"),
        ("ваза из глины", "a vase made of clay"),
        ("дорога из леса", "a road from the forest"),
        ("подарок маме", "a gift for mom"),
        ("квартира с видом на море", "an apartment overlooking the sea"),
        ("кот под столом и над столом", "a cat under a table and above a table"),
        # Phrases.
        ("новый год", "New Year"),
        ("день рождения", "a birthday"),
        ("чёрная пятница", "Black Friday"),
        ("вид сверху", "top view"),
        ("чашка кофе, крупный план", "a cup of coffee, close-up"),
        ("крупный план чашки кофе", "close-up of a cup of coffee"),
        ("мягкий свет", "soft light"),
        ("интерьер в скандинавском стиле", "an interior in Scandinavian style"),
        ("логотип в стиле минимализм", "a logo in minimalist style"),
        # Numbers.
        ("три чашки", "three cups"),
        ("две женщины и пять детей", "two women and five children"),
        ("31 декабря", "December 31"),
        ("бизнес-ланч за 350 рублей", "a business lunch for 350 rubles"),
        ("латте за 1 199₽", "a latte for 1199 rubles"),
        ("весь город", "the whole city"),
        # Discounts.
        ("скидка 20% на латте", "20% off latte"),
        ("скидки до 50% на платья", "up to 50% off dresses"),
        ("-30% на все торты", "30% off all cakes"),
        ("скидка 15 процентов на всё", "15% off everything"),
        ("скидки от 30 до 70 процентов", "a 30-70% discount"),
        # Verbs and participles.
        ("девушка пьёт кофе", "a young woman drinking coffee"),
        ("девушка пьет кофе", "a young woman drinking coffee"),
        ("на столе стоит чашка кофе", "a cup of coffee standing on a table"),
        ("на столе чашка и плед", "a cup and a cozy blanket on a table"),
        ("чашка, стоящая на столе", "a cup standing on a table"),
        ("украшенная гирляндами ёлка", "a Christmas tree decorated with strings of lights"),
        ("торт, украшенный ягодами", "a cake decorated with berries"),
        ("девушка, которая держит букет", "a young woman holding a bouquet"),
        ("кот сидит и смотрит в окно", "a cat sitting and looking out the window"),
        ("как выбрать диван", "how to choose a sofa"),
        ("Пост про то, как правильно хранить сыр", "how to store cheese"),
        ("курсы английского для детей", "English courses for children"),
        ("кофейня, где люди пьют кофе", "a coffee shop with people drinking coffee"),
        ("тёплым летним вечером", "on a warm summer evening"),
        # What asks for a picture is not in it.
        ("пост для инстаграма: осенний латте", "an autumn latte"),
        ("Пост в телеграм про скидку 15% на торты", "15% off cakes"),
        ("баннер с чашкой кофе для сайта", "a cup of coffee"),
        ("сторис для кофейни", "a coffee shop"),
        ("реклама кофейни", "a coffee shop"),
        ("обложка для ютуба и вк про путешествие в Японию", "a journey to Japan"),
        ("карточка товара для вайлдберриз: рюкзак чёрный", "a black backpack"),
        ("instagram post: autumn latte", "autumn latte"),
        # Mixed text and mistakes.
        ("latte art в белой чашке", "latte art in a white cup"),
        ("осений латте", "an autumn latte"),
        ("ДОСТАВКА ЦВЕТОВ", "flower delivery"),
        ("beautiful autumn forest at dawn", "beautiful autumn forest at dawn"),
        # What is to be written on the picture is not drawn.
        ("баннер для пекарни: булочки, надпись «Свежий хлеб»", "buns for a bakery"),
        ("баннер с надписью «Осенние скидки»", "autumn discounts"),
    ],
)
def test_a_request_reads_as_english(russian: str, english: str) -> None:
    assert intent(russian) == english


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("ремонт айфонов за час", "iPhone repair in an hour"),
        ("ремонт стиральных машин за 1 час", "washing machine repair in 1 hour"),
        ("ремонт квартиры", "an apartment renovation"),
        ("доставка за 12 часов", "delivery in 12 hours"),
        ("аренда зала на 3 часа", "hall rent for 3 hours"),
        ("лук для осени: пальто и ботинки", "an outfit for autumn, a coat and boots"),
        ("девушка режет лук", "a young woman slicing onion"),
        ("осенний суп с луком", "an autumn soup with onion"),
        ("модный лук на осень", "a fashionable outfit for autumn"),
        ("луки для офиса", "outfits for an office"),
        ("стрелка на схеме", "an arrow on a diagram"),
        ("стрелка на глазах", "winged eyeliner on eyes"),
        ("стол из дерева", "a table made of wood"),
        ("стол под деревом", "a table under a tree"),
        ("замок на горе", "a castle on the mountain"),
        ("мастер меняет замок в двери", "a craftsman changing a lock in a door"),
    ],
)
def test_a_word_of_two_meanings_is_read_by_its_company(russian: str, english: str) -> None:
    assert intent(russian) == english


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("открытие барбершопа на Лесной", "a barbershop opening on Lesnaya Street"),
        ("кофейня на Садовой 12", "a coffee shop on Sadovaya Street"),
        ("студия на Невском", "a studio on Nevskiy Avenue"),
        ("кафе на Тверской улице", "a cafe on Tverskaya Street"),
        ("кофейня на улице Ленина", "a coffee shop on Lenin Street"),
        ("открылись на ул. Садовой", "opening on Sadovaya Street"),
        ("прогулка по Красной площади", "a walk on Red Square"),
        ("картина на Белой стене", "a painting on a white wall"),
        ("девушка гуляет на улице", "a young woman walking outdoors"),
        ("шаурма в Мытищах", "a shawarma wrap in Mytishchi"),
    ],
)
def test_streets_and_towns_keep_their_names(russian: str, english: str) -> None:
    assert intent(russian) == english


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("hello пост для инстаграм about кофе and круассаны plz", "coffee and croissants"),
        ("кофе and круассаны for кофейня", "coffee and croissants for a coffee shop"),
        ("latte art в белой чашке", "latte art in a white cup"),
        ("уютный coworking в центре with the view", "cozy coworking in the center with the view"),
        (
            "instagram post for a coffe shop, pumpkin spice latte, 20% off til friday",
            "a coffee shop, pumpkin spice latte, 20% off until friday",
        ),
        ("banner for a flower shop, spring tulips, plz", "a flower shop, spring tulips"),
    ],
)
def test_english_and_mixed_requests_lose_their_request_and_slips(text: str, english: str) -> None:
    assert intent(text) == english


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("постер «СКИДКИ до 50%» для магазина обуви, сторис", "a poster for a shoe store"),
        ("листовка для пекарни", "a flyer for a bakery"),
        ("плакат для кофейни: осенний латте", "an autumn latte for a coffee shop"),
        ("скидки до 50% для магазина обуви", "a shoe store, up to 50% off"),
        ("скидка 20% на латте за 199 ₽", "20% off latte for 199 rubles"),
        ("тыквеный латте скидос 20%", "a pumpkin latte with 20% off"),
        ("скидос 20% на пиццу до вс", "20% off pizza until Sunday"),
        ("латте, скидка 20%", "a latte, a 20% discount"),
    ],
)
def test_an_offer_leaves_something_to_draw(russian: str, english: str) -> None:
    assert intent(russian) == english


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("борщ с пампушками в глиняном горшочке", "a borscht with garlic buns in a clay pot"),
        ("супчик в красненькой кружечке", "a soup in a red mug"),
        ("диванчик и подушечки", "a sofa and pillows"),
        ("носочки и платок", "socks and a headscarf"),
        ("ручка и бабочка", "a pen and a butterfly"),
    ],
)
def test_a_diminutive_is_the_plain_word(russian: str, english: str) -> None:
    assert intent(russian) == english


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("макияж в стиле 60-х", "makeup in 60s style"),
        ("мода 80х годов", "fashion of the 80s"),
        ("букет на 1-го сентября", "a bouquet for Back to School day"),
        ("2-комнатная квартира", "a two-room apartment"),
        ("коробка 40х60", "a box 40x60"),
    ],
)
def test_numbers_with_endings_are_read(russian: str, english: str) -> None:
    assert intent(russian) == english


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        (
            "пекарь достаёт из печи румяные багеты",
            "a baker taking out golden-brown baguettes from an oven",
        ),
        ("стоматолог показывает ребёнку щётку", "a dentist showing a child a brush"),
        ("готовит на кухне мама", "a mom cooking in the kitchen"),
        ("репетитор готовит школьника", "a tutor preparing a school student"),
        (
            "поздравляем с 8 марта! букет мимозы",
            "happy International Women's Day, a bouquet of mimosa",
        ),
        ("ночник в детской", "a night light in a nursery"),
        ("парень бьёт грушу", "a young man hitting a punching bag"),
    ],
)
def test_verbs_find_their_objects(russian: str, english: str) -> None:
    assert intent(russian) == english


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("ЖК бизнес-класса у реки", "a business-class residential complex by a river"),
        ("квартиры комфорт-класса", "comfort-class apartments"),
        ("мастер в маске бьет тату", "a tattoo artist in a mask doing a tattoo"),
        (
            "грузоперевозки по Москве, белая газель",
            "freight moving around Moscow, a white GAZelle van",
        ),
        ("гитарист на сцене", "a guitarist on a stage"),
        ("мастер-класс по гончарному делу", "a pottery workshop"),
        ("консультация для самозанятых", "a consultation for self-employed people"),
        ("раки", "crayfish"),
        ("кофейня на Арбате", "a coffee shop on the Arbat"),
        ("луковый суп", "an onion soup"),
        ("маникюр френч на короткие ногти", "a French manicure on short nails"),
        ("груминг: мокрый йорк в полотенце", "pet grooming, a wet Yorkshire terrier in a towel"),
        ("кухня на заказ из массива дуба", "a custom kitchen made of solid oak"),
        ("концерт кавер-группы в баре", "a cover band concert in a bar"),
        ("первоклассница с букетом астр", "a first grader with a bouquet of asters"),
        (
            "таунхаус с мангальной зоной за городом",
            "a townhouse with a barbecue area in the countryside",
        ),
        ("вакансия: требуется повар-сушист", "a job opening, a sushi chef"),
        ("окна пвх", "PVC windows"),
        ("пончики в сахарной пудре", "donuts in powdered sugar"),
        ("стрижка кошек", "grooming of cats"),
        ("продаётся дом", "a house being on sale"),
        ("виниловые пластинки и проигрыватель", "vinyl records and a record player"),
    ],
)
def test_the_words_of_small_trades_are_known(russian: str, english: str) -> None:
    prompt = prompt_for(russian)
    assert (prompt.intent, prompt.unknown) == (english, ())


@pytest.mark.parametrize(
    ("russian", "parts"),
    [
        (
            "Нарисуй уютную кофейню осенью, тёплый свет, на столе стоит капучино и круассан",
            ["a cozy coffee shop in autumn", "warm light", "a croissant standing on a table"],
        ),
        (
            "щенок корги в шарфе на фоне осенних листьев",
            ["a corgi puppy in a scarf", "in front of autumn leaves"],
        ),
        (
            "хочу пост для инсты про наш новый тыквенный раф, осеннее настроение, тёплый плед",
            ["a new pumpkin raf coffee", "autumn mood", "a warm"],
        ),
        (
            "мужчина в деловом костюме сидит за столом с ноутбуком",
            ["a man in a business suit sitting at a table with a laptop"],
        ),
        (
            "вакансия: ищем бариста в кофейню",
            ["a job opening", "looking for a barista at a coffee shop"],
        ),
        (
            "кот сидит сверху, на тарелке сырники, сверху мята",
            ["a cat sitting on top", "cottage cheese pancakes on a plate", "mint on top"],
        ),
        ("мужские часы из стали", ["a men's watch made of steel"]),
        ("ароматическая свеча в стеклянной банке", ["scented candle in a glass jar"]),
    ],
)
def test_a_longer_request_keeps_its_parts(russian: str, parts: list[str]) -> None:
    text = intent(russian)
    assert [part for part in parts if part not in text] == []


@pytest.mark.parametrize(
    ("russian", "unwanted"),
    [
        ("чашка без людей", "people"),
        ("чашка, без текста и логотипов", "text, logos"),
        ("не нужно людей, только интерьер кафе", "people"),
        ("кофе, не слишком яркий фон", "too vibrant background"),
        ("кафе, убери людей", "people"),
        ("кафе, людей быть не должно", "people"),
        ("чашка кофе, текста не нужно", "text"),
        ("a cup of coffee, no people", "people"),
    ],
)
def test_what_is_not_wanted_goes_to_the_negative_prompt(russian: str, unwanted: str) -> None:
    prompt = prompt_for(russian)
    assert prompt.negative.startswith(f"{unwanted}, low quality")
    assert "people" not in prompt.intent
    assert "text" not in prompt.intent


def test_gluten_free_is_a_quality_and_no_negation() -> None:
    prompt = prompt_for("торт без глютена")
    assert prompt.intent == "a gluten-free cake"
    assert "gluten" not in prompt.negative


def test_unknown_words_are_spelled_and_reported() -> None:
    prompt = prompt_for("кофейня Щурово и чай с бергамотовкой")
    assert prompt.unknown == ("Щурово", "бергамотовкой")
    assert "Shchurovo" in prompt.intent
    assert "bergamotovkoy" in prompt.intent


def test_a_name_in_quotes_after_a_shop_is_not_translated() -> None:
    prompt = prompt_for("кофейня «Уют»")
    assert prompt.intent == 'the coffee shop "Uyut"'
    assert prompt.unknown == ("Уют",)


def test_known_words_are_not_reported() -> None:
    assert prompt_for("осенний латте на деревянном столе").unknown == ()


def test_neighbour_alphabets_become_latin_and_other_scripts_go() -> None:
    assert intent("Қазақстан") == "Qazaqstan"
    assert intent("Їжак ґава") == "Yizhak gava"
    prompt = prompt_for("你好 кофе")
    assert prompt.intent == "coffee"
    assert prompt.unknown == ("你好",)


@pytest.mark.parametrize("text", ["你好", "И", "без", "в", "нарисуй что-нибудь", "для инстаграма"])
def test_a_text_without_a_subject_still_makes_a_prompt(text: str) -> None:
    assert intent(text) == "a social media picture"


def test_a_wall_of_text_is_cut_at_a_joint() -> None:
    text = intent(", ".join(["девушка пьёт кофе у окна"] * 20))
    assert len(text.split()) <= INTENT_WORDS
    assert text.endswith("by the window")


def test_render_adds_composition_goal_brand_and_quality() -> None:
    brand = BrandStyle("Уют", "purple minimalism, no gradients", ("#6c3fc5", "#ffffff"))
    prompt = prompt_for("сторис: скидка 20% на латте", brand)
    assert prompt.intent == "20% off latte"
    assert prompt.render.startswith("20% off latte, vertical composition")
    for part in ("retail", "purple minimalism", "color palette", "professional photography"):
        assert part in prompt.render
    assert "gradients" not in prompt.render
    assert prompt.negative.startswith("gradients, ")
    assert "Уют" not in prompt.render
    assert "Uyut" not in prompt.render
    assert prompt.backend == "lexicon"


def test_the_brand_style_changes_the_render_and_not_the_intent() -> None:
    plain = prompt_for("осенний латте")
    branded = prompt_for("осенний латте", BrandStyle("x", "dark luxury style"))
    assert plain.intent == branded.intent
    assert "dark luxury style" in branded.render
    assert "dark luxury style" not in plain.render


def test_a_drawn_picture_is_not_asked_to_be_a_photograph() -> None:
    assert "photography" not in prompt_for("акварельный рисунок лисы").render


def test_a_brand_style_left_in_russian_is_translated() -> None:
    render = prompt_for("латте", BrandStyle("x", "тёмный люкс")).render
    assert "dark luxury" in render


def test_palettes_are_named_and_malformed_colours_passed_over() -> None:
    assert palette_words(("#ffffff", "#000000", "#2f66d0")) == "white, black and blue"
    assert palette_words(("#f7f7f5", "nonsense")) == "white"
    assert palette_words(()) == ""


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("Фиолетовый минимализм", "purple minimalism"),
        ("тёплый крафт, деревянные текстуры", "warm kraft paper, wooden textures"),
        ("в скандинавском стиле", "Scandinavian style"),
        ("дерево и лён", "wood and linen"),
        ("пастельные тона, много воздуха", "pastel tones, lots of negative space"),
        ("яркий поп-арт без градиентов", "vibrant pop art, no gradients"),
        ("clean tech look", "clean tech look"),
        ("dark luxury, золотые акценты", "dark luxury, golden accents"),
    ],
)
def test_styles_become_short_english_phrases(russian: str, english: str) -> None:
    assert translate_style(russian).text == english


@pytest.mark.parametrize("text", ["", "   ", "!!!", "🎉", "你好", "и"])
def test_a_style_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadBrief) as refused:
        translate_style(text)
    assert refused.value.reason == "empty"


def test_a_long_style_is_cut_to_twelve_words() -> None:
    style = translate_style("тёплый свет, мягкие тени, " * 10).text
    assert 0 < len(style.split()) <= STYLE_WORDS


def test_presets_are_english_and_the_first_is_purple_minimalism() -> None:
    assert next(iter(PRESETS)) == "purple_minimalism"
    assert PRESETS["purple_minimalism"].name_ru == "Фиолетовый минимализм"
    for preset in PRESETS.values():
        assert translate_style(preset.style_short).text == preset.style_short
        assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in preset.palette)


_russian = st.text(
    st.sampled_from("абвгдежзийклмнопрстуфхцчшщъыьэюяё ,.-«»!?0123456789%"), max_size=80
)
_WORDS = """в на с без не для как и а который где скидка 20% до латте чашка красный стоять пьёт пост
инстаграма сверху стиль цвета украшенная гирляндами очень два «Уют» , . : x"""
_phrases = st.lists(st.sampled_from(_WORDS.split()), max_size=14).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), _russian, _phrases))
@example("\U000171c0")
@example("ѿ ꙮ Ꙑ ᲀ ⷠ")
@example("не не не без без")
@example("который который который")
@example("украшенная украшенная украшенная украшенная украшенная украшенная украшенная")
@example("чашка " * 200)
def test_any_text_becomes_ascii_or_is_refused_as_empty(text: str) -> None:
    try:
        prompt = prompt_for(text)
    except BadBrief:
        return
    for part in (prompt.render, prompt.negative, prompt.intent):
        assert part.isascii()
        assert not _CYRILLIC.search(part)
    assert prompt.intent
    assert len(prompt.intent.split()) <= INTENT_WORDS
    assert prompt == prompt_for(text)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), _russian, _phrases))
def test_any_style_becomes_short_ascii_or_is_refused(text: str) -> None:
    try:
        style = translate_style(text).text
    except BadBrief:
        return
    assert style.isascii()
    assert 0 < len(style.split()) <= STYLE_WORDS


async def test_the_enhancer_gives_the_same_prompt() -> None:
    brief = make_brief("осенний латте", seed=1)
    assert await LexiconEnhancer().enhance(brief) == enhance(brief)


def test_a_prompt_of_300_characters_takes_under_20_ms_when_warm() -> None:
    brief = make_brief(
        "уютная кофейня осенью, на столе чашка кофе и книга, мягкий свет, " * 5, seed=1
    )
    enhance(brief)
    times_s = []
    for _ in range(5):
        started = time.perf_counter()
        enhance(brief)
        times_s.append(time.perf_counter() - started)
    assert min(times_s) < 0.02


@pytest.mark.parametrize("path", _WORD_LISTS, ids=lambda path: path.stem)
def test_word_lists_hold_russian_keys_and_ascii_english(path: Path) -> None:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    if path.name == "patterns.toml":
        return
    for table, words in tables.items():
        for keys, english in words.items():
            assert english.isascii(), keys
            assert english == english.strip(), keys
            assert english or table == "exact", keys
            assert all(key == key.strip() and key == key.lower() for key in keys.split(", ")), keys


def test_the_vocabulary_covers_the_trade() -> None:
    keys = {entry.russian for entries in vocabulary().words.values() for entry in entries}
    assert len(keys) > 3000


def test_every_preposition_of_the_rules_knows_its_case() -> None:
    cases = {option.case for options in rules().prepositions.values() for option in options}
    assert cases <= {"gent", "datv", "accs", "ablt", "loct"}
