"""The tables, one module per noun. Only `db` and `migrations` use them."""

from __future__ import annotations

from db.models.base import Base
from db.models.brands import Brand
from db.models.deliveries import Delivery
from db.models.generations import Prediction, Request, Task
from db.models.people import Account, Member, User, UserSettings

__all__ = [
    "Account",
    "Base",
    "Brand",
    "Delivery",
    "Member",
    "Prediction",
    "Request",
    "Task",
    "User",
    "UserSettings",
]
