"""Decides in microseconds, inside the checkout process, which few offers belong on a receipt page, or none.

    engine = aftercart.Engine("shop.aftercart")      # once: mapped and shared
    pool = aftercart.Pool(engine)                     # once: deciders for all threads
    offers = pool.decide(Transaction([Line("SKU-1")]))  # in the request

It calls the C library: include/aftercart.h says what every field means. Amounts are minor units of the catalog's currency,
times Unix milliseconds, relevance is in thousandths, probabilities are in parts per million.
"""

from .engine import AftercartError, Decider, Engine, Pool
from .lists import (
    Accept, Acceptance, AgeBand, Because, Customer, Device, Exposure, Field, Item, Kind, Mode, Payment, Prefault, Relation, Role, Sensitive, Stage, Status,
    Verify,
)
from .prefill import prefill
from .token import TokenKey
from .types import (
    Change, Claim, Consent, Event, Explanation, Exposed, Feature, Info, Lease, Line, LiveState, MethodCount, Offer, Offers,
    PaymentOption, PossibleAnswer, Prefilled, Profile, Question, Ranked, ShippingOption, StoredField, SurveyAnswer, Transaction, Use,
)

__all__ = [
    "Accept", "Acceptance", "AftercartError", "AgeBand", "Because", "Change", "Claim", "Consent", "Customer", "Decider", "Device", "Engine", "Event", "Explanation", "Exposed",
    "Exposure", "Feature", "Field", "Info", "Item", "Kind", "Lease", "Line", "LiveState", "MethodCount", "Mode", "Offer", "Offers", "Payment", "PaymentOption",
    "Pool", "PossibleAnswer", "Prefault", "Prefilled", "Profile", "Question", "Ranked", "Relation", "Role", "Sensitive", "ShippingOption", "Stage", "Status", "StoredField", "SurveyAnswer", "TokenKey", "Transaction",
    "Use", "Verify", "prefill",
]
