"""The lists of the header. A test compares them with it."""

from enum import IntEnum, IntFlag


class Mode(IntEnum):
    """How a catalog file gets into memory."""

    MAP = 0
    COPY = 1


class Verify(IntEnum):
    """How much of a file is checked when it is opened."""

    FULL = 0
    STRUCTURE = 1


class Prefault(IntEnum):
    """What is read from disk before decisions ask for it."""

    BACKGROUND = 0
    WHOLE = 1
    NONE = 2


class Stage(IntEnum):
    """Where in the purchase."""

    CONFIRMATION = 0
    CART = 1
    CHECKOUT = 2
    PAYMENT = 3
    ORDER_STATUS = 4
    EMAIL = 5
    APP = 6


class Payment(IntEnum):
    """How it was paid."""

    UNKNOWN = 0
    CARD = 1
    WALLET = 2
    BNPL = 3
    DIRECT_DEBIT = 4
    BANK_TRANSFER = 5
    INVOICE = 6
    GIFT_CARD = 7
    CASH = 8


class Role(IntEnum):
    """Kind of purchase."""

    UNKNOWN = 0
    DURABLE = 1
    CONSUMABLE = 2
    SERVICE = 3
    DIGITAL = 4
    GIFT_CARD = 5


class Sensitive(IntEnum):
    """Sensitive classes of products."""

    NONE = 0
    ALCOHOL = 1
    TOBACCO = 2
    HEALTH = 3
    ADULT = 4
    WEAPONS = 5
    GAMBLING = 6
    CREDIT = 7
    INSURANCE = 8


class Customer(IntEnum):
    """New or returning."""

    ANY = 0
    NEW = 1
    RETURNING = 2


class AgeBand(IntEnum):
    """How old, as far as known."""

    UNKNOWN = 0
    MINOR = 1
    ADULT = 2


class Kind(IntEnum):
    """What is offered."""

    PRODUCT = 0
    ADD_ON = 1
    WARRANTY = 2
    SERVICE = 3
    SUBSCRIPTION = 4
    PAYMENT_INCENTIVE = 5
    LOYALTY = 6
    APP_PROMPT = 7
    CONTENT = 8
    NEXT_PURCHASE = 9


class Relation(IntEnum):
    """How an offer follows from the order."""

    BOUGHT_TOGETHER = 1
    GOES_WITH_TYPE = 2
    REFILL = 3
    TRIGGERED = 4
    HOUSE = 5
    ALIKE = 6


class FactKind(IntEnum):
    """What a fact is. Internal."""

    PURCHASE = 1
    DECLINE = 2
    ANSWER = 3
    OPT_OUT_CATEGORY = 4
    CART_REMOVED = 5
    ORDER_TAG = 6
    SEGMENT = 7
    SHOWN = 8
    ENGAGED = 9
    ACCEPTED = 10
    ASKED = 11
    USED = 12
    FAILED = 13
    CONTACTED = 14


class Exposure(IntEnum):
    """What happened to an offer on an earlier page."""

    SHOWN = 8
    ENGAGED = 9
    ACCEPTED = 10


class Accept(IntEnum):
    """How an offer may be accepted. Charging is yours."""

    NONE = 0  # there is nothing to accept, or it joins an order that is not paid yet
    ONE_CLICK_STORED_CREDENTIAL = 1
    CONFIRM_CONSENT = 2  # one click, and a consent to what recurs
    REDIRECT = 3
    REENTER_PAYMENT = 4
    LEAD_OPT_IN = 5


class Acceptance(IntEnum):
    """Why an offer is accepted in its way and no shorter one."""

    NOTHING_TO_ACCEPT = 0
    APP_SHOP = 1
    ENROLMENT = 2
    THIRD_PARTY_SELLS = 3
    REGULATED = 4
    BEFORE_PAYMENT = 5
    NOT_RECHARGEABLE = 6
    RECURS = 7
    SOLD_ONCE = 8


class Device(IntEnum):
    """Where the customer sits."""

    UNKNOWN = 0
    PHONE = 1
    TABLET = 2
    DESKTOP = 3


class Because(IntEnum):
    """Why an option stands where it does."""

    HOST_ORDER = 0  # nothing speaks for another place
    LAST_USED = 1
    OFTEN_USED = 2
    READY_ON_DEVICE = 3
    USUAL_HERE = 4
    CHEAPER_FIRST = 5  # a cheaper one that is as fast comes first
    HOLDOUT = 6


class EventKind(IntEnum):
    """What happened after a decision."""

    ACTIVATED = 1  # the page was seen: without it nothing counts as shown
    ENGAGED = 2
    ACCEPTED = 3
    ACCEPT_FAILED = 4  # the code says why
    CONVERTED = 5  # an accepted offer earned its value
    RETURNED = 6  # of that, so much came back
    DISMISSED = 7
    SURVEY_ANSWERED = 8
    ORDERED = 9  # the customer ordered something afterwards, by an offer or not


class MessageKind(IntEnum):
    """What a message is for. The first two are owed to the customer, the others advertise."""

    DELIVERY = 0
    GUIDANCE = 1
    SUGGESTION = 2
    REFILL = 3


class Channel(IntEnum):
    """Through what a message goes."""

    EMAIL = 0
    SMS = 1
    PUSH = 2


class Withheld(IntEnum):
    """Why a message is not planned."""

    TIME_UNKNOWN = 1
    TOO_LATE = 2
    CONTACT_POLICY = 3
    CONSENT = 4
    GIFT = 5


class Item(IntEnum):
    """What an id names."""

    ANY = 0  # whichever has the id; one that several have is refused
    PRODUCT = 1
    OFFER = 2
    PARTNER = 3  # only in the live overlay
    QUESTION = 4  # internal
    ANSWER = 5  # likewise


class Field(IntFlag):
    """What a live overlay can forget."""

    STOCK = 1
    PRICE = 2
    BID = 4
    DAILY = 8
    TOTAL = 16
    PACING = 32


class Status(IntEnum):
    """How a call failed. The header says what each means."""

    NULL_POINTER = -101
    MISALIGNED = -102
    BAD_SIZE = -103
    UNSUPPORTED_FIELD = -104
    BAD_VALUE = -105
    BAD_STRING = -106
    BAD_UTF8 = -107
    TOO_MANY_LINES = -108
    TOO_MANY_FACTS = -109
    TOO_MANY_SLOTS = -110
    UNKNOWN_ID = -111
    TOO_MANY_OPTIONS = -112
    BAD_HANDLE = -201
    BUSY = -202
    POISONED = -203
    BAD_CATALOG = -301
    BAD_POLICY = -302
    LIVE_FULL = -304
    BAD_MODEL = -305
    BAD_PROGRAMMES = -306
    CATALOG_VERSION = -401
    OUT_OF_MEMORY = -501
    SYSTEM_ERROR = -502
    INTERNAL = -601
    BAD_LIVE = -303
    BUDGET_EMPTY = -701
    LEASES_OUT = -702
    PAUSED = -703
    LEASE_GONE = -704
    LEASE_FOREIGN = -705
    BAD_TOKEN = -801
    BAD_SIGNATURE = -802
    TOKEN_EXPIRED = -803
    WRONG_CURRENCY = -804
