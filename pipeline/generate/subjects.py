"""Which English words ask the mock generator for which motif."""

from __future__ import annotations

from collections.abc import Callable

from pipeline import colours
from pipeline.generate import motifs
from pipeline.generate.motifs import Motif

_WORDS: dict[Callable[[], Motif], str] = {
    motifs.cup: """
        cup mug coffee latte cappuccino espresso tea cocoa matcha cafe barista breakfast
    """,
    motifs.gift: """
        gift present giveaway surprise box package delivery certificate promotion prize
    """,
    motifs.bouquet: """
        bouquet florist peony tulip wedding
    """,
    motifs.flower: """
        flower rose blossom bloom spring daisy sunflower orchid chamomile
    """,
    motifs.cake: """
        cake dessert pastry bakery cupcake birthday sweet confectionery macaron pie muffin
    """,
    motifs.glass: """
        wine cocktail glass lemonade juice drink beverage champagne beer smoothie bar
    """,
    motifs.plate: """
        plate food dish salad restaurant lunch dinner meal pizza burger sushi soup pasta menu
        steak vegetable meat fish bowl
    """,
    motifs.bottle: """
        bottle perfume serum shampoo oil honey fragrance lotion spray syrup
    """,
    motifs.jar: """
        cosmetic cream jar tube mask skincare beauty makeup balm gel care manicure spa
    """,
    motifs.laptop: """
        laptop computer course webinar website it programming office work analytics marketing
        online technology finance business
    """,
    motifs.phone: """
        phone smartphone app mobile gadget application chat blog
    """,
    motifs.shoe: """
        shoe sneaker boot footwear trainer running fitness sport gym
    """,
    motifs.bag: """
        bag handbag shop shopping store sale clothes clothing dress fashion boutique discount
        collection outlet market
    """,
    motifs.ring: """
        ring jewelry jewellery diamond necklace earring bracelet gold
    """,
    motifs.car: """
        car auto automobile taxi vehicle tire driving garage
    """,
    motifs.tree: """
        christmas newyear fir
    """,
    motifs.snowflake: """
        snowflake winter snow frost ice
    """,
    motifs.house: """
        house home building apartment city realty estate hotel interior architecture
        construction street repair flat cottage
    """,
    motifs.book: """
        book reading education school lesson study library learning student training
    """,
    motifs.balloons: """
        balloon party holiday celebration festival kid child children event anniversary
    """,
    motifs.heart: """
        heart love valentine charity health medicine clinic doctor
    """,
    motifs.person: """
        person woman man girl boy portrait model team specialist trainer employee vacancy
        hairdresser barber hair client
    """,
    motifs.branch: """
        autumn fall leaf plant eco forest nature garden herb tree botanical olive organic
    """,
}

_BY_WORD = {word: motif for motif, group in _WORDS.items() for word in group.split()}


_SETTINGS = frozenset(
    (motifs.branch, motifs.snowflake, motifs.tree, motifs.heart, motifs.balloons, motifs.person,
     motifs.house, motifs.flower)
)  # fmt: skip
_OCCASIONS = frozenset(
    ("promotion", "giveaway", "surprise", "sale", "discount", "collection", "shopping", "market",
     "work", "training", "course", "business", "prize", "gold", "breakfast", "lunch", "dinner")
)  # fmt: skip


def found(prompt: str) -> list[Callable[[], Motif]]:
    """Motifs the words ask for, in their order, each once.

    A season, a place or an occasion gives way to a thing: an autumn sale of coffee is a cup.
    """
    hits = [word for word in colours.words(prompt) if word in _BY_WORD]
    things = [w for w in hits if w not in _OCCASIONS and _BY_WORD[w] not in _SETTINGS]
    return list(dict.fromkeys(_BY_WORD[word] for word in things or hits))
