"""The lexicon enhancer: offline Russian to English for the vocabulary of SMM pictures.

    tokens -> requests (what is not in the picture goes) -> reader (words and phrases by their
    dictionary forms) -> nouns, clauses (English order, articles) -> prompt (composition, brand,
    quality)

The word lists and the grammar's tables are the TOML files in this folder.
"""

from pipeline.enhance.lexicon.prompt import (
    NEGATIVE,
    LexiconEnhancer,
    Translation,
    brand_style,
    enhance,
    translate_style,
)

__all__ = [
    "NEGATIVE",
    "LexiconEnhancer",
    "Translation",
    "brand_style",
    "enhance",
    "translate_style",
]
