"""Decides in microseconds, inside the checkout process, which few offers belong on a receipt page, or none.

    engine = aftercart.Engine("shop.aftercart")      # once: mapped and shared
    pool = aftercart.Pool(engine)                     # once: deciders for all threads
    offers = pool.decide(Transaction([Line("SKU-1")]))  # in the request

It calls the C library: include/aftercart.h says what every field means. Amounts are minor units of the catalog's currency,
times Unix milliseconds, relevance is in thousandths, probabilities are in parts per million.
"""

from .engine import AftercartError, Decider, Engine, Pool, Programmes
from .lists import (
    Accept, Acceptance, AgeBand, Because, Channel, Customer, Device, EventKind, Exposure, Field, Item, Kind, MessageKind, Mode, Payment,
    Prefault, Relation, Role, Sensitive, Stage, Status, Verify, Withheld,
)
from .log import LogEvent
from .prefill import prefill
from .token import TokenKey
from .types import (
    Change, Claim, Consent, Event, Explanation, Exposed, Feature, FollowUp, Info, Lease, Line, LiveState, Logged, MethodCount, Offer, Offers,
    PaymentOption, PossibleAnswer, Prefilled, Profile, Question, Ranked, ShippingOption, StoredField, SurveyAnswer, Transaction, Use,
)

__all__ = [
    "Accept", "Acceptance", "AftercartError", "AgeBand", "Because", "Change", "Channel", "Claim", "Consent", "Customer", "Decider", "Device", "Engine", "Event", "EventKind", "Explanation", "Exposed",
    "Exposure", "Feature", "Field", "FollowUp", "Info", "Item", "Kind", "Lease", "Line", "LiveState", "LogEvent", "Logged", "MessageKind", "MethodCount", "Mode", "Offer", "Offers", "Payment", "PaymentOption",
    "Pool", "PossibleAnswer", "Prefault", "Prefilled", "Profile", "Programmes", "Question", "Ranked", "Relation", "Role", "Sensitive", "ShippingOption", "Stage", "Status", "StoredField", "SurveyAnswer", "TokenKey", "Transaction",
    "Use", "Verify", "Withheld", "prefill",
]
