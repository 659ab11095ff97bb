"""The Bot API methods, one module per noun; importing this fills the registry."""

from playground.methods import chats, media, messages, payments, profile, queries, updates

__all__ = ["chats", "media", "messages", "payments", "profile", "queries", "updates"]
