"""What there is to draw with: the month's pictures, and past them the wallet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import plans, wallet
from db.money_views import Standing, Terms, WalletView


@dataclass(frozen=True, slots=True)
class Means:
    """An account's plan and wallet, as far as pictures go. Sums are kopecks."""

    standing: Standing
    wallet: WalletView

    @property
    def terms(self) -> Terms:
        return self.standing.period.terms

    @property
    def left(self) -> int:
        """Pictures of the month's quota."""
        return self.standing.period.left

    @property
    def limit(self) -> int:
        return self.terms.images_limit

    @property
    def pays(self) -> bool:
        """Whether pictures past the quota are paid for."""
        return self.standing.pays_per_picture

    def past(self, count: int) -> int:
        """How many of so many pictures the quota does not cover."""
        return max(0, count - self.left)

    def price(self, count: int) -> int:
        """What these cost."""
        return self.past(count) * self.terms.picture_price

    def missing(self, count: int) -> int:
        """What the wallet lacks for them."""
        return max(0, self.price(count) - self.wallet.free)

    def covers(self, count: int) -> bool:
        """Whether so many pictures can be ordered now."""
        if self.past(count) == 0:
            return True
        return self.pays and not self.wallet.paused and self.missing(count) == 0


async def means(session: AsyncSession, account_id: int, *, now: datetime) -> Means:
    """Raises NotFound for an account that is none."""
    return Means(
        standing=await plans.standing(session, account_id, now=now),
        wallet=await wallet.wallet(session, account_id),
    )
