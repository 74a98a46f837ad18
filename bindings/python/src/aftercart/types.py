"""What goes into a decision, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .lists import (
    Accept, Acceptance, AgeBand, Because, Channel, Customer, Device, Exposure, Field, Item, Kind, MessageKind, Payment, Relation, Role,
    Sensitive, Stage, Withheld,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One bought line. Category and brand stand in where the catalog does not know the id."""

    item_id: str
    category: str = ""
    brand: str = ""
    quantity: int = 1
    unit_price: int | None = None
    role: Role = Role.UNKNOWN
    sensitive: Sensitive = Sensitive.NONE


@dataclass(frozen=True, slots=True)
class Transaction:
    """A paid order, or a basket before payment. What is not known stays as it is."""

    lines: Sequence[Line] = ()
    order_id: str = ""  # only hashed into the decision id
    created_at_ms: int = 0  # 0 = not known: offers that depend on time are not shown
    value: int | None = None  # None = the sum of the lines, where all prices are known
    currency: str = ""  # ISO 4217; empty = the catalog's
    country: str = ""  # ISO 3166-1; empty = not known: offers bound to a region are not shown
    stage: Stage = Stage.CONFIRMATION
    slots: int = 0  # 0 = as the policy says
    min_relevance: int | None = None  # None = as the policy says
    is_gift: bool = False
    is_test: bool = False
    first_purchases: bool = False  # nothing that the customer bought before
    payment: Payment = Payment.UNKNOWN
    rechargeable: bool | None = None  # whether that payment can be charged again without asking once more
    placement: str = ""  # its id in the policy; empty = whichever the policy has for the stage
    tags: Sequence[str] = ()  # your own words for this order, which a policy may ask for


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a product or offer; 0 = not known when."""

    id: str
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Exposed:
    """What happened to an offer of an earlier page; 0 = not known when, which counts as recent."""

    id: str
    event: Exposure = Exposure.SHOWN
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """An answer to a question of a micro-survey. The tag "gift" suppresses refills."""

    question: str
    tag: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What the customer said to a consent banner, by purpose: None = nobody asked. A policy says what that is worth."""

    preferences: bool | None = None
    analytics: bool | None = None
    marketing: bool | None = None
    sale_of_data: bool | None = None
    gpc: bool = False  # the browser sends Global Privacy Control, which refuses the sale of data


_NOBODY_ASKED = Consent()


@dataclass(frozen=True, slots=True)
class Profile:
    """The customer, as far as you know and may say. There is no field for a name or an address."""

    customer: Customer = Customer.ANY
    age_band: AgeBand = AgeBand.UNKNOWN
    loyalty_member: bool | None = None
    has_app: bool | None = None
    opt_out_third_party: bool = False
    unit_key: bytes = b""  # 16 bytes of a hash of your choice; only for assigning to experiments
    session_key: bytes = b""  # 16 bytes of a hash that ends with the session
    purchases: Sequence[Event] = ()  # oldest first
    declines: Sequence[Event] = ()  # products and offers, oldest first
    answers: Sequence[SurveyAnswer] = ()
    opt_out_categories: Sequence[str] = ()  # paths, each with its subtree
    cart_removed: Sequence[str] = ()  # products that were looked at in this session and put back
    loyalty_tier: str = ""  # your name of it
    orders: int | None = None  # before this one
    segments: Sequence[str] = ()  # your own words for this customer, which a policy may ask for
    consent: Consent = _NOBODY_ASKED
    exposures: Sequence[Exposed] = ()  # offers that were on earlier pages, oldest first: for frequency caps
    asked: Sequence[Event] = ()  # questions that were asked, in this order and before, oldest first, whatever the answer


class Offer(NamedTuple):
    """One offer of the slate."""

    id: str
    kind: Kind | int  # a number where only a newer version of this binding knows it
    relation: Relation | int
    position: int
    line: int | None  # index of the bought line behind it
    third_party: bool
    relevance: int
    accept_ppm: int
    select_ppm: int
    value: int  # what you earn when it is accepted
    ev_micros: int  # expected contribution, millionths of a minor unit
    price: int | None
    item_kind: int
    item_row: int
    accept: Accept | int  # how it may be accepted; charging is yours
    acceptance: Acceptance | int  # why in that way and no shorter one
    may_need_confirmation: bool  # the customer's bank may want them to confirm the charge


@dataclass(frozen=True, slots=True)
class Offers(Sequence[Offer]):
    """A decision: the slate, best first, and how it came about."""

    slate: tuple[Offer, ...]
    reason: int  # without offers: the number of the commonest reason
    reason_text: str
    decision_id: str
    index_generation: int
    policy_generation: int
    retrieved: int
    eligible: int
    rejected: int
    centroids: int
    cells: int
    compared: int
    overlay_generation: int  # changes of the live overlay before the decision; 0 without one
    group_id: str  # equal for all decisions of one order, whatever the customer answered
    model_generation: int  # content of the model; 0 without one

    def __len__(self) -> int:
        return len(self.slate)

    def __getitem__(self, index):  # type: ignore[no-untyped-def, override]
        return self.slate[index]

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.slate)


class PossibleAnswer(NamedTuple):
    """An answer to a question. The page shows the text; `SurveyAnswer(question.id, tag)` says that it was given."""

    tag: str
    text: str


class Question(NamedTuple):
    """The question that is worth asking."""

    id: str
    text: str
    answers: tuple[PossibleAnswer, ...]
    gain_micros: int  # by how much the page is expected to be worth more, millionths of a minor unit
    decisions: int  # that were made to find out


@dataclass(frozen=True, slots=True)
class PaymentOption:
    """A way to pay that you permit for this order."""

    id: str  # your name for it
    ready: bool = False  # set up on the device, as wallets are


@dataclass(frozen=True, slots=True)
class ShippingOption:
    """A way to ship that you permit for this order."""

    id: str  # your name for it
    price: int
    arrives_by_ms: int = 0  # the last moment of the promised window; 0 = none was promised


@dataclass(frozen=True, slots=True)
class Use:
    """What the customer paid or shipped with before."""

    id: str
    at_ms: int = 0  # 0 = not known
    failed: bool = False  # declined, or given up


@dataclass(frozen=True, slots=True)
class MethodCount:
    """How often your customers use a way to pay, in one group of orders."""

    id: str
    country: str
    device: Device
    amount_from: int  # and below the next greater one that occurs
    orders: int


class Ranked(NamedTuple):
    """Where an option goes."""

    option: int  # index into the options
    because: Because | int


@dataclass(frozen=True, slots=True)
class StoredField:
    """Something in your store that may be filled in. Its value stays with you."""

    field: int  # what it is, by a number of yours, 0 to 255; at most one of each is suggested
    slot: int  # its place in your store, 0 to 65535
    country: str = ""  # of an address
    uses: int = 0
    last_used_ms: int = 0  # 0 = not known


class Prefilled(NamedTuple):
    """What to fill in."""

    field: int
    slot: int
    confidence_ppm: int
    because: Because | int


class FollowUp(NamedTuple):
    """A message that is planned, or withheld. Offers in advertising are decided when it is sent, for `Stage.EMAIL`."""

    kind: MessageKind | int
    channel: Channel | int
    withheld: Withheld | int | None  # None = planned
    line: int  # index of the bought line that it is about
    at_ms: int
    expires_at_ms: int  # when it no longer makes sense
    item_kind: int
    item_row: int
    due_days: int | None  # of a refill: days from the order to the next purchase that is expected
    own_intervals: int  # of the customer's behind that; 0 = the usual days alone
    programme: str
    template: str  # your mail service's name for it
    content_id: str  # of the offer that it carries; empty = none


class Logged(NamedTuple):
    """What became of the decisions of a decider since it logs."""

    logs: bool  # whether it does
    made: int  # logged and dropped
    logged: int  # in the ring, or in files
    dropped: int  # lost, since the ring was full
    drained: int  # of those logged, the ones that were put into files


@dataclass(frozen=True, slots=True)
class Claim:
    """What was offered, at what price, until when."""

    decision_id: str  # of the offers
    item_id: str
    price: int  # of one unit
    currency: str  # Info.currency
    expires_at_ms: int
    quantity: int = 1
    idempotency_key: str = ""  # of a token that was verified: the same for every token of one offer of one decision


@dataclass(frozen=True, slots=True)
class Info:
    """What an engine is."""

    products: int
    offers: int
    index_generation: int
    policy_generation: int
    created_at_ms: int
    file_bytes: int
    kernel: str
    currency: str  # of all amounts, ISO 4217


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one product, offer or partner in the live overlay. None = stays as it is."""

    id: str
    kind: Item = Item.ANY
    stock: int | None = None  # products: units, more than 62 count as 62
    price: int | None = None  # products
    priced_at_ms: int = 0
    bid: int | None = None  # offers: what you earn, in place of the catalog's
    daily: int | None = None  # offers and partners: limit of a day
    total: int | None = None  # offers and partners: limit over all days
    pacing: str = ""  # with daily: "even", or 24 or 96 weights joined by commas
    paused: bool | None = None  # not to be shown for now
    killed: bool | None = None  # not to be shown any more
    money: bool | None = None  # limits count minor units of value, not accepted offers
    utc_offset_minutes: int | None = None  # offers and partners: when the day begins
    forget: Field = Field(0)  # what the overlay forgets, so that the catalog's holds again, or no limit


class LiveState(NamedTuple):
    """What the live overlay says of one product, offer or partner. None = as the catalog says, or no limit."""

    kind: Item
    paused: bool
    killed: bool
    stock: int | None
    utc_offset_minutes: int
    money: bool
    paced: bool
    throttle_ppm: int  # decisions that pacing turns away now
    leases: int  # that are out
    price: int | None
    priced_at_ms: int
    bid: int | None
    daily: int | None
    total: int | None
    spent_today: int
    spent: int
    held: int  # by leases that are out


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to spend from the budgets of an offer. Keep `data` with the customer's session: `Lease(data)` is the same lease
    in any process of the machine."""

    data: bytes

    @property
    def expires_at_ms(self) -> int:
        """0 = it holds nothing, since there is no limit."""
        return int.from_bytes(self.data[8:16], "little", signed=True)


class Feature(NamedTuple):
    """What one feature adds to the score of a product: thousandths of a nat."""

    name: str
    value: int
    weight: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that speaks for and against one product or offer."""

    position: int | None  # on the page
    reasons: tuple[int, ...]  # why it is not shown
    reason_texts: tuple[str, ...]
    rules: tuple[str, ...]  # of the policy, that refuse it
    relation: Relation | int | None  # None = nothing leads to it
    line: int | None  # index of the bought line behind it
    relevance: int
    accept_ppm: int
    ev_micros: int
    features: tuple[Feature, ...]  # of the score, for products
