"""How many pictures a request asks for: "три варианта", "штук 5", "сделай 3 баннера".

A number that belongs to what is drawn ("5 роз", "3 свечи на столе") is none of these: in doubt the
text stays as it is, and the person finds the number on the draft's button.
"""

from __future__ import annotations

import re

from pipeline.asking import ASKING, MAKING, OF, POLITE, POST
from pipeline.morphology import readings

MOST = 20
"""Nobody asks for more pictures at once; a larger number is of something else."""

_WORDS = {
    "один": 1, "одну": 1, "одна": 1, "одно": 1, "одном": 1, "два": 2, "две": 2, "двух": 2,
    "пара": 2, "пару": 2, "три": 3, "трех": 3, "трёх": 3, "четыре": 4, "четырех": 4,
    "четырёх": 4, "пять": 5, "пяти": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9,
    "десять": 10, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10,
}  # fmt: skip
_ONE = rf"(?:\d{{1,2}}|{'|'.join(_WORDS)})"
_N = rf"(?<![\w.,№+#%-])(?:{_ONE}\s*[-–—]\s*)?(?P<n>{_ONE})"
_PICTURES = (
    r"(?:вариант(?:а|ов|ы|ах)?|картин(?:ку|ки|ок|ках|очку|очки|очек)|изображени(?:е|я|й|ях)"
    r"|variants?|variations?|versions?|options?|pictures?|images?)\b"
)
_PIECES = r"(?:штук[иау]?|штуч(?:ки|ку|ек)|шт|pieces|pcs)\b\.?"
_TURNED = r"(?:вариант(?:ов|а)|картинок|изображений|штук[иа]?|штучек)"
_ASKS = (
    rf"{ASKING}(?:{MAKING}\s+)?(?:(?:мне|нам|дай(?:те)?|me|us|give)\s+)*(?:{POLITE}\W+)?(?:all\s+)?"
)
_UNIT = re.compile(rf"{_PICTURES}|{_PIECES}|{_TURNED}|{POST}", re.IGNORECASE)
_PARTING = " ,;:-–—"
_CLAUSE_ENDS = r"(?=\s*(?:[,.;:!?)—–-]|$))"
_ON_SHOW = (
    r"(?!\s+(?:на\s+(?:стен|стол|полк|витрин|мольберт)|в\s+(?:рам|галере|музе|альбом)"
    r"|висят|on\s+(?:the|a)\s+wall|in\s+(?:a\s+)?frame))"
)
_COUNTED_FROM = "".join(
    rf"(?<!\b{word})"
    for word in ("на", "из", "до", "от", "за", "of", "топ", "top", "than", "более")
)

# What `cut` names goes; what is around it is left to be drawn.
_CLAUSE = re.compile(
    rf"(?:^|[,.;:!?(—–-]\s*)(?P<cut>{_ASKS}(?:(?:в|in)\s+)?"
    rf"(?:{_N}\s*(?:{_PICTURES}|(?P<pieces>{_PIECES}))|{_TURNED}\s+(?P<turned>{_ONE})\b)"
    rf"(?:\s+{POLITE})?){_CLAUSE_ENDS}",
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
    rf"^(?P<cut>(?:(?:{MAKING}|нуж(?:но|ны)|надо|хочу|хотим|дай(?:те)?|i need|i want)\s+"
    rf"(?:(?:мне|нам|me|us)\s+)?)+{_N})\s+(?={POST})",
    re.IGNORECASE,
)


def take(text: str) -> tuple[str, int | None]:
    """The text without the number of pictures it asks for, and the number, 1..20; or as it was,
    and None. Of a range the larger one counts, of several the first."""
    count = None
    while _UNIT.search(text):
        text, found = _taken(text)
        if found is None:
            break
        count = count or found
    return text, count


def _taken(text: str) -> tuple[str, int | None]:
    for pattern in (_CLAUSE, _LAST, _ORDER, _POSTS):
        for found in pattern.finditer(text):
            count = _number(found)
            left, right = text[: found.start("cut")], text[found.end("cut") :]
            # What parted it from the rest goes too: it would be looked at again for the next one.
            rest = f"{left.rstrip(_PARTING)} {right}".lstrip(_PARTING).replace("( )", " ")
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
    if groups.get("pieces") or "штук" in found["cut"].lower():
        return not _counts_what_stands_before(found.string[: found.start("cut")])
    return True


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
