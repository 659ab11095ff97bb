"""How a bot gets its updates: long polling or a webhook."""

import re
from urllib.parse import urlsplit

from aiogram.methods import DeleteWebhook, GetUpdates, GetWebhookInfo, SetWebhook

from playground.errors import ApiError, BadRequest
from playground.methods.registry import Call, method
from playground.state import JsonObject, Webhook, without_none
from playground.updates import BY_WEBHOOK

LONGEST_POLL_S = 50


@method(GetUpdates)
async def get_updates(call: Call, args: GetUpdates) -> list[JsonObject]:
    """getUpdates: confirms by `offset`, then waits up to `timeout` seconds."""
    world = call.world
    if world.profile.webhook is not None:
        raise ApiError(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    _remember_allowed(call, args.allowed_updates)
    if args.offset:
        world.confirm(world.updates.before(args.offset))
        world.store.flush()
    limit = min(max(args.limit or 100, 1), 100)
    timeout_s = min(max(args.timeout or 0, 0), LONGEST_POLL_S)
    return await world.updates.poll(limit, timeout_s)


def _remember_allowed(call: Call, allowed: list[str] | None) -> None:
    """Telegram keeps the last list it was given; an empty one means the default kinds."""
    profile = call.world.profile
    if allowed is not None and allowed != profile.allowed_updates:
        profile.allowed_updates = list(allowed)
        call.world.save_profile()


@method(SetWebhook)
def set_webhook(call: Call, args: SetWebhook) -> bool:
    """setWebhook. Plain http is taken too: nothing here leaves the machine."""
    if not args.url:
        return _drop_webhook(call, drop_pending=bool(args.drop_pending_updates))
    parts = urlsplit(args.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest("invalid webhook URL specified")
    secret = args.secret_token
    if secret is not None and len(secret) > 256:
        raise BadRequest("secret token is too long")
    if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise BadRequest("secret token contains unallowed characters")
    _remember_allowed(call, args.allowed_updates)
    connections = min(max(args.max_connections or 40, 1), 100)
    call.world.profile.webhook = Webhook(args.url, secret or None, connections)
    call.world.save_profile()
    if args.drop_pending_updates:
        call.world.confirm(list(call.world.updates.pending))
    call.world.updates.oust(BY_WEBHOOK)
    call.world.updates.bell.ring()
    return True


@method(DeleteWebhook)
def delete_webhook(call: Call, args: DeleteWebhook) -> bool:
    """deleteWebhook."""
    return _drop_webhook(call, drop_pending=bool(args.drop_pending_updates))


def _drop_webhook(call: Call, *, drop_pending: bool) -> bool:
    call.world.profile.webhook = None
    call.world.save_profile()
    if drop_pending:
        call.world.confirm(list(call.world.updates.pending))
    call.world.updates.bell.ring()
    return True


@method(GetWebhookInfo)
def get_webhook_info(call: Call, _: GetWebhookInfo) -> JsonObject:
    """getWebhookInfo."""
    profile = call.world.profile
    hook = profile.webhook
    return without_none(
        {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(call.world.updates.pending),
            "max_connections": hook.max_connections if hook else None,
            "last_error_date": hook.last_error_date if hook else None,
            "last_error_message": hook.last_error_message if hook else None,
            "allowed_updates": profile.allowed_updates or None,
        }
    )
