"""English word forms: articles, plurals, -ing, participles, comparatives."""

from __future__ import annotations

import re

_PLURALS = {
    "man": "men", "woman": "women", "child": "children",
    "grandchild": "grandchildren", "person": "people", "foot": "feet",
    "tooth": "teeth", "mouse": "mice", "goose": "geese", "leaf": "leaves", "knife": "knives",
    "shelf": "shelves", "loaf": "loaves", "scarf": "scarves", "life": "lives", "wolf": "wolves",
    "wife": "wives", "half": "halves", "potato": "potatoes", "tomato": "tomatoes", "hero": "heroes",
    "fish": "fish", "sheep": "sheep", "deer": "deer", "shrimp": "shrimp", "goldfish": "goldfish",
    "fisherman": "fishermen", "craftsman": "craftsmen", "businessman": "businessmen",
    "businesswoman": "businesswomen", "craftswoman": "craftswomen", "housewife": "housewives",
    "snowman": "snowmen", "mango": "mangoes", "elf": "elves", "cactus": "cacti", "superhero":
    "superheroes", "sneakers": "sneakers", "jeans": "jeans", "quiz": "quizzes", "euro": "euros",
    "percent": "percent", "watercolor": "watercolors", "eyelash": "eyelashes",
}  # fmt: skip
_INTERNAL = re.compile(r"^(\S+(?: \S+)??) (of|with|in|and|for|from) (.+)$")

_PARTICIPLES = {
    "be": "been", "become": "become", "break": "broken", "bring": "brought", "build": "built",
    "burn": "burnt", "buy": "bought", "catch": "caught", "choose": "chosen", "cut": "cut",
    "do": "done", "draw": "drawn", "dream": "dreamed", "drink": "drunk", "drive": "driven",
    "eat": "eaten", "fall": "fallen", "feed": "fed", "feel": "felt", "find": "found",
    "fly": "flown",
    "freeze": "frozen", "get": "got", "give": "given", "grow": "grown", "hang": "hung",
    "have": "had", "hit": "hit", "hide": "hidden", "hold": "held", "knit": "knitted", "lay": "laid",
    "lie": "lain",
    "light": "lit", "make": "made", "meet": "met", "pay": "paid", "put": "put", "read": "read",
    "ride": "ridden", "run": "run", "see": "seen", "sell": "sold", "set": "set", "sew": "sewn",
    "shine": "shone", "shoot": "shot", "show": "shown", "sing": "sung", "sit": "seated",
    "sleep": "slept", "smell": "smelled", "speak": "spoken", "spend": "spent", "spin": "spun",
    "stand": "stood", "swim": "swum", "take": "taken", "teach": "taught", "tell": "told",
    "think": "thought", "throw": "thrown", "try": "tried", "wake": "woken", "wear": "worn",
    "win": "won", "write": "written",
}  # fmt: skip
_DOUBLED = frozenset({
    "cut", "get", "hug", "knit", "pet", "put", "run", "set", "sit", "spin", "stop", "swim", "win",
    "wrap", "hit", "dig", "clap", "drag", "trim", "mop", "jog", "chop", "stir", "rub",
    "chat", "drip", "whip", "hop", "plan", "pat", "shop", "begin",
})  # fmt: skip
_COMPARATIVES = {
    "good": "better",
    "bad": "worse",
    "many": "more",
    "little": "less",
    "far": "farther",
}


def with_article(phrase: str) -> str:
    """ "a" or "an" before it, by the sound it begins with."""
    return f"{'an' if _begins_with_vowel(phrase) else 'a'} {phrase}"


def _begins_with_vowel(phrase: str) -> bool:
    word = re.match(r"[\"'(]*([A-Za-z0-9]+)", phrase)
    if word is None:
        return False
    first = word[1]
    lower = first.lower()
    if first[0].isdigit():
        return first.startswith(("8", "11", "18"))
    if len(first) > 1 and first.isupper():
        return first[0] in "AEFHILMNORSX"
    if lower.startswith(("uni", "use", "usu", "eu", "one", "once", "ukr", "ure", "uto")):
        return lower.startswith("unin")
    if lower.startswith(("hour", "honest", "honor", "heir")):
        return True
    return lower[0] in "aeiou"


def plural(noun: str) -> str:
    """The plural of a noun phrase: "cup", "jar of cream", "young woman", "berry"."""
    if inner := _INTERNAL.match(noun):
        return f"{plural(inner[1])} {inner[2]} {inner[3]}"
    start, _, last = noun.rpartition(" ")
    form = _PLURALS.get(last) or _regular_plural(last)
    return f"{start} {form}".strip()


def _regular_plural(word: str) -> str:
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    return word + "s"


def gerund(verb: str) -> str:
    """ "drink coffee" as "drinking coffee"."""
    first, _, rest = verb.partition(" ")
    return f"{_ing(first)} {rest}".strip()


def _ing(word: str) -> str:
    if word.endswith("ie"):
        return word[:-2] + "ying"
    if word in _DOUBLED:
        return word + word[-1] + "ing"
    if word.endswith("e") and not word.endswith(("ee", "oe", "ye")) and word != "be":
        return word[:-1] + "ing"
    return word + "ing"


def participle(verb: str) -> str:
    """The past participle: "decorate" as "decorated", "lay out" as "laid out"."""
    first, _, rest = verb.partition(" ")
    return f"{_PARTICIPLES.get(first) or _ed(first)} {rest}".strip()


def _ed(word: str) -> str:
    if word.endswith("e"):
        return word + "d"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ied"
    if word in _DOUBLED:
        return word + word[-1] + "ed"
    return word + "ed"


def comparative(adjective: str) -> str:
    """ "brighter", "cozier", "more beautiful"."""
    if adjective in _COMPARATIVES:
        return _COMPARATIVES[adjective]
    if not re.fullmatch(r"[a-z]{2,6}", adjective) or len(re.findall("[aeiouy]+", adjective)) > 2:
        return f"more {adjective}"
    if adjective.endswith("y"):
        return adjective[:-1] + "ier"
    return adjective + ("r" if adjective.endswith("e") else "er")
