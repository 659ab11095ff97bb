"""The tables, one module per noun. Only `db` and `migrations` use them."""

from __future__ import annotations

from db.models.base import Base
from db.models.brands import Brand
from db.models.channels import Channel, Post, Suggestion
from db.models.deliveries import Delivery
from db.models.generations import Prediction, Request, Task
from db.models.money import Hold, Transfer, Wallet
from db.models.notices import Notice
from db.models.payments import Order, Payment
from db.models.people import Account, Member, User, UserSettings
from db.models.plans import Period, Plan, Subscription
from db.models.teams import Approval, Approver, Event, Question, Vote

__all__ = [
    "Account",
    "Approval",
    "Approver",
    "Base",
    "Brand",
    "Channel",
    "Delivery",
    "Event",
    "Hold",
    "Member",
    "Notice",
    "Order",
    "Payment",
    "Period",
    "Plan",
    "Post",
    "Prediction",
    "Question",
    "Request",
    "Subscription",
    "Suggestion",
    "Task",
    "Transfer",
    "User",
    "UserSettings",
    "Vote",
    "Wallet",
]
