"""Which English words ask the mock generator for which motif."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline import colour_words
from pipeline.generate import goods, world
from pipeline.generate.motifs import Motif

Draw = Callable[[], Motif]

_THINGS: dict[Draw, str] = {
    goods.cup: """
        cup mug coffee latte cappuccino espresso americano mocha raf tea cocoa matcha cafe barista
        teapot
    """,
    goods.gift: "gift present box package parcel certificate souvenir",
    world.bouquet: "bouquet florist peony tulip hydrangea ranunculus carnation",
    world.flower: """
        flower rose blossom daisy sunflower orchid chamomile lily lavender dahlia wildflower
    """,
    goods.cake: """
        cake dessert pastry bakery cupcake birthday confectionery macaron pie muffin brownie
        cheesecake eclair meringue tart baker confectioner icing
    """,
    goods.glass: """
        wine cocktail glass lemonade juice drink beverage champagne beer smoothie bar prosecco
        mojito spritz winery wineglass cider sommelier pub
    """,
    goods.plate: """
        plate food dish salad restaurant meal pizza burger sushi soup pasta menu steak vegetable
        meat fish bowl noodle dumpling cheese sandwich pancake chef cook cooking kitchen pizzeria
        pie breakfast snack seafood shrimp salmon chicken rice borscht roll appetizer
    """,
    goods.fruit: """
        fruit apple orange lemon citrus peach pear berry strawberry raspberry cherry mango grape
        tangerine pumpkin tomato banana pineapple watermelon harvest grapefruit plum blueberry
    """,
    goods.bottle: """
        bottle perfume serum shampoo oil honey fragrance lotion spray syrup conditioner toner flacon
        water milk kvass sauce
    """,
    goods.jar: """
        cosmetic cream jar tube mask skincare makeup balm gel manicure spa lipstick powder scrub
        mascara cosmetology cosmetologist soap sunscreen nail polish jam yogurt
    """,
    goods.laptop: """
        laptop computer webinar website programming analytics programmer developer internet seo
        statistics presentation marketing
    """,
    goods.phone: "phone smartphone iphone app mobile gadget chat blog chatbot messenger bot",
    goods.shoe: "shoe sneaker boot footwear trainer running heel sandal slipper marathon runner",
    goods.bag: "bag handbag backpack",
    goods.shirt: """
        shirt clothes clothing dress fashion hoodie sweater sweatshirt jacket coat suit blouse merch
        wear jeans skirt uniform atelier
    """,
    goods.ring: """
        ring jewelry jewellery diamond necklace earring bracelet brooch pendant pearl watch
        engagement
    """,
    goods.book: "book reading textbook magazine notebook library bookstore novel diary",
    goods.suitcase: """
        suitcase luggage travel trip tour journey vacation tourism airport resort hotel flight
        airplane excursion hostel
    """,
    goods.armchair: """
        armchair sofa furniture chair interior lamp bed bedroom pillow mattress wardrobe
    """,
    goods.candle: "candle incense aroma diffuser wax massage yoga meditation",
    goods.megaphone: "megaphone announcement news vacancy advertising advertisement hiring",
    world.car: "car auto automobile taxi vehicle tire driving garage suv truck wheel headlight",
    world.tree: "christmas fir spruce",
    world.cat: """
        cat kitten pet animal dog puppy paw veterinarian veterinary zoo corgi spitz hamster rabbit
    """,
    world.house: """
        house building apartment realty estate villa cottage skyscraper mortgage residential
        construction facade
    """,
    world.mountain: "mountain peak hike hiking camp camping ski snowboard altai",
    world.balloons: "balloon",
    world.snowflake: "snowflake",
    world.heart: "heart",
    world.branch: "leaf branch foliage wreath eucalyptus monstera fern houseplant olive",
}

_SETTINGS: dict[Draw, str] = {
    goods.gift: "promotion giveaway surprise prize bonus contest lottery december",
    goods.bag: """
        sale discount shop store boutique supermarket shopping collection outlet market cashback
        coupon
    """,
    goods.laptop: "work course office online technology finance business startup training it",
    goods.book: "education school lesson study learning student teacher exam course september",
    goods.shoe: "fitness sport gym workout athlete",
    goods.jar: "beauty care skin face",
    goods.plate: "lunch dinner delivery",
    goods.megaphone: "opening event conference meeting",
    goods.suitcase: "adventure summer sea beach",
    goods.armchair: "room cozy home",
    world.flower: "spring garden bloom meadow march april may mother women",
    world.branch: """
        autumn fall plant eco forest nature herb tree botanical organic october november
    """,
    world.snowflake: "winter snow frost ice january february",
    world.tree: "year newyear",
    world.house: "city street architecture repair renovation",
    world.balloons: "party holiday celebration festival kid child children anniversary childhood",
    world.heart: "love valentine charity health medicine clinic doctor wedding family medical",
    world.person: """
        person woman man men girl boy portrait model team specialist employee hairdresser barber
        hair client beard haircut barbershop
    """,
    world.mountain: "landscape nature morning sunrise sunset",
}
"""Places, seasons, occasions: asked only where the words name no thing."""


def _by_word(groups: Mapping[Draw, str]) -> dict[str, Draw]:
    return {word: motif for motif, group in groups.items() for word in group.split()}


_THING_BY_WORD, _SETTING_BY_WORD = _by_word(_THINGS), _by_word(_SETTINGS)


def found(prompt: str) -> list[Draw]:
    """Motifs the words ask for, in their order, each once: an autumn sale of coffee is a cup."""
    words = colour_words.words(prompt)
    for by_word in (_THING_BY_WORD, _SETTING_BY_WORD):
        if hits := [by_word[word] for word in words if word in by_word]:
            return list(dict.fromkeys(hits))
    return []
