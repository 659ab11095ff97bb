"""The Ollama enhancer: a language model on a server of one's own writes the prompt.

instructions (system prompt, the request fenced as data) -> server (one streamed chat, foreign
errors mapped) -> answers (is it a prompt at all?) -> enhancer (one more try, else, by the deadline
of `faults`, `lexicon`)
"""

from pipeline.enhance.ollama.enhancer import OllamaEnhancer

__all__ = ["OllamaEnhancer"]
