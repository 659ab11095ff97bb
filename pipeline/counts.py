"""How many pictures a request asks for: "три варианта в сторис", "штук 5", "сделай 3 баннера".

A number that belongs to what is drawn ("5 роз", "3 свечи на столе") is none of these: in doubt the
text stays as it is, and the person finds the number on the draft's button.
"""

from __future__ import annotations

import re

from pipeline import triggers
from pipeline.asking import ASKING, MAKING, OF, POLITE, POST
from pipeline.morphology import readings

MOST = 20
"""Nobody asks for more pictures at once; a larger number is of something else."""

_WORDS = {
    "один": 1, "одну": 1, "одна": 1, "одно": 1, "одном": 1, "одного": 1, "два": 2, "две": 2,
    "двух": 2, "пара": 2, "пару": 2, "три": 3, "трех": 3, "трёх": 3, "четыре": 4, "четырех": 4,
    "четырёх": 4, "пять": 5, "пяти": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9,
    "десять": 10, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "couple": 2, "pair": 2,
}  # fmt: skip
_ONE = rf"(?:\d{{1,2}}|{'|'.join(_WORDS)})"
_N = (
    rf"(?<![\w№+#%-])(?<!\d[.,])(?:an?\s+)?(?:{_ONE}\s*[-–—]\s*)?(?P<n>{_ONE})"
    r"(?:\s+of\b)?(?:\s+(?:разны[ех]|других|different))?"
)
_PICTURES = (
    r"(?:(?:вариант(?:а|ов|ы|ах)?|верси(?:я|ю|и|й|ях)|макет(?:а|ов|ы|ах)?"
    r"|картин(?:ку|ки|ок|ках|очку|очки|очек)|изображени(?:е|я|й|ях)"
    r"|variants?|variations?|versions?|options?|pictures?|images?)\b|вар\b\.?)"
)
_PIECES = r"(?:штук[иау]?|штуч(?:ки|ку|ек)|шт|pieces|pcs)\b\.?"
_TURNED = (
    r"(?:(?:количество|кол-во|число)\s+)?"
    r"(?:вариант(?:ов|а)|верси[йи]|картинок|изображений|штук[иа]?|штучек)(?:\s*[:—–-])?"
)
_SERIAL = (
    r"(?:сторис\w{0,3}|рилс\w{0,3}|пост(?:а|ов)?|обложк[иу]|обложек|превью|stories|reels|posts?"
    r"|covers|thumbnails)\b"
)
"""Things that are made one after another and seldom seen on a picture themselves."""
_GIVE = r"(?:дай(?:те)?|пришли(?:те)?|скинь(?:те)?|отправь(?:те)?|give|send|show|do)"
_ENOUGH = r"(?:хватит|достаточно|только|всего|лишь|just|only)"
_ASKS = (
    rf"{ASKING}(?:{MAKING}[\s,]+)?(?:(?:мне|нам|{_GIVE}|me|us|{_ENOUGH})[\s,]+){{0,4}}"
    rf"(?:{POLITE}\W+)?(?:all\s+)?"
)
_PARTING = " ,;:-–—"
_PARTED = r"(?:^|[,.;:!?(—–-]\s*)"
_CLAUSE_ENDS = r"(?=\s*(?:[,.;:!?)—–-]|$))"
_ON_SHOW = (
    r"(?!\s+(?:на\s+(?:стен|стол|полк|витрин|мольберт|баннере|плакат|постер|афише|обложке)"
    r"|в\s+(?:рам|галере|музе|альбом)|висят|on\s+(?:the|a)\s+wall|in\s+(?:a\s+)?frame))"
)
_COUNTED_FROM = "".join(
    rf"(?<!\b{word})"
    for word in ("на", "из", "до", "от", "за", "of", "топ", "top", "than", "более")
)
_COUNTED = (
    rf"(?:(?:в|in)\s+)?(?:{_N}\s*(?:{_PICTURES}|(?P<pieces>{_PIECES}))"
    rf"|{_TURNED}\s*(?P<turned>{_ONE})\b)"
)
_POST = re.compile(POST, re.IGNORECASE)
_PREPOSITION = re.compile(r"(?:в|во|для|на|под|for|to|on)\s+", re.IGNORECASE)
_PLACES = re.compile(
    rf"{_PREPOSITION.pattern}(?:\w+\s+){{0,2}}?"
    rf"(?:{POST}|канал|групп|паблик|страниц|профил|сообществ|лент|соц|блог|реклам|таргет|публикац"
    r"|social|feed|channel|group|profile|page|ads?\b)",
    re.IGNORECASE,
)
"""Where pictures go to that is no platform by itself; the platforms are in `triggers`."""
_PLACE_WORDS = 5
"""So many words "для обложки нашей группы вк" may take; of two that no preposition begins."""
_WHERE = rf"(?P<where>(?:\s+\w[\w-]*){{1,{_PLACE_WORDS}}})"

# What `cut` names goes; what is around it is left to be drawn.
_CLAUSE = re.compile(
    rf"{_PARTED}(?P<cut>{_ASKS}{_COUNTED}(?:\s+(?:{POLITE}|на выбор|{_ENOUGH}))?){_CLAUSE_ENDS}",
    re.IGNORECASE,
)
_PLACED = re.compile(
    rf"(?:{_PARTED}|(?P<midway>\w{_COUNTED_FROM}\s))(?P<cut>{_ASKS}{_COUNTED}){_ON_SHOW}{_WHERE}",
    re.IGNORECASE,
)
_LAST = re.compile(
    rf"\w{_COUNTED_FROM}\s(?P<cut>(?:(?:в|in)\s+)?{_N}\s*{_PICTURES})\W*$", re.IGNORECASE
)
_ORDER = re.compile(
    rf"^(?=\S+\s+\S+\s)(?P<cut>(?P<asks>{_ASKS}){_N}\s+{_PICTURES}{_ON_SHOW}{OF}\s*[:.,-]*)"
    rf"(?P<next>\s*(?:$|(?:для|про|на|с|со|о|об|в|for|of|with)\b|{POST}))?",
    re.IGNORECASE,
)
_POSTS = re.compile(
    rf"^(?P<cut>(?:(?:{MAKING}|нуж(?:но|ны)|надо|хочу|хотим|{_GIVE}|i need|i want)\s+"
    rf"(?:(?:мне|нам|me|us)\s+)?)+{_N})\s+(?={POST})",
    re.IGNORECASE,
)
_SERIES = re.compile(
    rf"{_PARTED}(?P<cut>{_ASKS}{_N})\s+"
    rf"(?={_SERIAL}(?:{_CLAUSE_ENDS}|\s+(?:про|о|об|на тему|about)\b))",
    re.IGNORECASE,
)
_POSTS_PLACED = re.compile(
    rf"{_PARTED}(?P<cut>{_ASKS}{_N})\s+{POST}{_ON_SHOW}{_WHERE}", re.IGNORECASE
)
_ALONE = re.compile(
    rf"[,.;:!?—–-]\s*(?!дай пять)(?P<cut>(?:(?:{MAKING}|давай(?:те)?|{_GIVE})\s+"
    rf"(?:(?:мне|нам|me|us)\s+)?)+{_N})(?=\s*(?:[,;.!?)](?!\d)|$)|\s[-–—]\s)",
    re.IGNORECASE,
)
_PATTERNS = (_PLACED, _CLAUSE, _LAST, _ORDER, _POSTS, _SERIES, _POSTS_PLACED, _ALONE)


def take(text: str) -> tuple[str, int | None]:
    """The text without the number of pictures it asks for, and the number, 1..20; or as it was,
    and None. Of a range the larger one counts, of several the first."""
    count = None
    while True:
        text, found = _taken(text)
        if found is None:
            return text, count
        count = count or found


def _taken(text: str) -> tuple[str, int | None]:
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            count = _number(found)
            left, right = text[: found.start("cut")], text[found.end("cut") :]
            # What parted it from the rest goes too, but in "чай, 2 обложки для вк".
            is_apart = _POST.match(right.lstrip()) is not None
            parted = left if is_apart else left.rstrip(_PARTING)
            rest = f"{parted} {right}".lstrip(_PARTING).replace("( )", " ").replace("(  ", "(")
            if 1 <= count <= MOST and _is_of_pictures(found) and any(map(str.isalpha, rest)):
                return rest, count
    return text, None


def _number(found: re.Match[str]) -> int:
    groups = found.groupdict()
    said = (groups["n"] or groups.get("turned") or "").lower()
    return int(said) if said.isdecimal() else _WORDS[said]


def _is_of_pictures(found: re.Match[str]) -> bool:
    """Whether the number may be of pictures, by what stands around it."""
    groups = found.groupdict()
    if found.re is _ORDER:
        # "Три варианта начинки" are on the picture, unless somebody is told to make them.
        return bool(groups["asks"].strip()) or groups["next"] is not None or _joined(found)
    where = groups.get("where")
    if where is not None and not _is_place(where, midway=bool(groups.get("midway"))):
        return False
    if groups.get("pieces") or "штук" in found["cut"].lower():
        # "Осталось 3 штуки на сайте", "всего 3 штуки" are of goods.
        of_goods = groups.get("midway") or re.search(_ENOUGH, found["cut"], re.IGNORECASE)
        return not of_goods and not _counts_what_stands_before(found.string[: found.start("cut")])
    return True


def _is_place(where: str, *, midway: bool) -> bool:
    """Whether the words begin with where a picture goes: "в сторис", "для нашей группы вк",
    "поста"; amidst other words a place needs its preposition."""
    words = where.split()
    tied = _PREPOSITION.match(where.strip()) is not None
    if not tied and (midway or _POST.match(words[0])):
        return not midway
    if tied and _PLACES.match(where.strip()):
        return True
    near = " ".join(words[: _PLACE_WORDS if tied else 2])
    return triggers.vocabulary().platforms.find(triggers.words(near)) is not None


def _joined(found: re.Match[str]) -> bool:
    return (
        re.search(r"(?:\b(?:про|of|with|тему|где|котор\w+)|[:.,-])\s*$", found["cut"]) is not None
    )


def _counts_what_stands_before(text: str) -> bool:
    """«Красные розы, 5 штук»: several things, named by themselves, that the pieces may be of."""
    said = re.findall(r"[^\W\d_]+", text.lower())
    if not said:
        return False
    is_many = any(
        one.pos == "NOUN" and one.number == "plur" and one.case == "nomn"
        for one in readings(said[-1])
    )
    if not is_many or len(said) == 1:
        return is_many
    return readings(said[-2])[0].pos not in ("NOUN", "PREP")
