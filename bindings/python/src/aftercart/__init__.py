"""Decides in microseconds, inside the checkout process, which few offers belong on a receipt page, or none.

    engine = aftercart.Engine("shop.aftercart")      # once: mapped and shared
    pool = aftercart.Pool(engine)                     # once: deciders for all threads
    offers = pool.decide(Transaction([Line("SKU-1")]))  # in the request

It calls the C library: include/aftercart.h says what every field means. Amounts are minor units of the catalog's currency,
times Unix milliseconds, relevance is in thousandths, probabilities are in parts per million.
"""

from .engine import AftercartError, Decider, Engine, Pool
from .lists import (
    Accept, Acceptance, AgeBand, Customer, Exposure, Field, Item, Kind, Mode, Payment, Prefault, Relation, Role, Sensitive, Stage, Status,
    Verify,
)
from .token import TokenKey
from .types import (
    Change, Claim, Consent, Event, Explanation, Exposed, Feature, Info, Lease, Line, LiveState, Offer, Offers, PossibleAnswer, Profile,
    Question, SurveyAnswer, Transaction,
)

__all__ = [
    "Accept", "Acceptance", "AftercartError", "AgeBand", "Change", "Claim", "Consent", "Customer", "Decider", "Engine", "Event", "Explanation", "Exposed",
    "Exposure", "Feature", "Field", "Info", "Item", "Kind", "Lease", "Line", "LiveState", "Mode", "Offer", "Offers", "Payment",
    "Pool", "PossibleAnswer", "Prefault", "Profile", "Question", "Relation", "Role", "Sensitive", "Stage", "Status", "SurveyAnswer", "TokenKey", "Transaction",
    "Verify",
]
