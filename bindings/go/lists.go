package aftercart

// #include <aftercart.h>
import "C"

// The lists of the header. A test compares them with it.

// Stage is where in the purchase.
type Stage uint32

// Its values.
const (
	StageConfirmation Stage = C.AFTERCART_STAGE_CONFIRMATION
	StageCart         Stage = C.AFTERCART_STAGE_CART
	StageCheckout     Stage = C.AFTERCART_STAGE_CHECKOUT
	StagePayment      Stage = C.AFTERCART_STAGE_PAYMENT
	StageOrderStatus  Stage = C.AFTERCART_STAGE_ORDER_STATUS
	StageEmail        Stage = C.AFTERCART_STAGE_EMAIL
	StageApp          Stage = C.AFTERCART_STAGE_APP
)

// Payment is how it was paid.
type Payment uint32

// Its values.
const (
	PaymentUnknown      Payment = C.AFTERCART_PAYMENT_UNKNOWN
	PaymentCard         Payment = C.AFTERCART_PAYMENT_CARD
	PaymentWallet       Payment = C.AFTERCART_PAYMENT_WALLET
	PaymentBnpl         Payment = C.AFTERCART_PAYMENT_BNPL
	PaymentDirectDebit  Payment = C.AFTERCART_PAYMENT_DIRECT_DEBIT
	PaymentBankTransfer Payment = C.AFTERCART_PAYMENT_BANK_TRANSFER
	PaymentInvoice      Payment = C.AFTERCART_PAYMENT_INVOICE
	PaymentGiftCard     Payment = C.AFTERCART_PAYMENT_GIFT_CARD
	PaymentCash         Payment = C.AFTERCART_PAYMENT_CASH
)

// Role is the kind of purchase.
type Role uint32

// Its values.
const (
	RoleUnknown    Role = C.AFTERCART_ROLE_UNKNOWN
	RoleDurable    Role = C.AFTERCART_ROLE_DURABLE
	RoleConsumable Role = C.AFTERCART_ROLE_CONSUMABLE
	RoleService    Role = C.AFTERCART_ROLE_SERVICE
	RoleDigital    Role = C.AFTERCART_ROLE_DIGITAL
	RoleGiftCard   Role = C.AFTERCART_ROLE_GIFT_CARD
)

// Sensitive is a class of products.
type Sensitive uint32

// Its values.
const (
	SensitiveNone      Sensitive = C.AFTERCART_SENSITIVE_NONE
	SensitiveAlcohol   Sensitive = C.AFTERCART_SENSITIVE_ALCOHOL
	SensitiveTobacco   Sensitive = C.AFTERCART_SENSITIVE_TOBACCO
	SensitiveHealth    Sensitive = C.AFTERCART_SENSITIVE_HEALTH
	SensitiveAdult     Sensitive = C.AFTERCART_SENSITIVE_ADULT
	SensitiveWeapons   Sensitive = C.AFTERCART_SENSITIVE_WEAPONS
	SensitiveGambling  Sensitive = C.AFTERCART_SENSITIVE_GAMBLING
	SensitiveCredit    Sensitive = C.AFTERCART_SENSITIVE_CREDIT
	SensitiveInsurance Sensitive = C.AFTERCART_SENSITIVE_INSURANCE
)

// Customer is new or returning.
type Customer uint32

// Its values.
const (
	CustomerAny       Customer = C.AFTERCART_CUSTOMER_ANY
	CustomerNew       Customer = C.AFTERCART_CUSTOMER_NEW
	CustomerReturning Customer = C.AFTERCART_CUSTOMER_RETURNING
)

// AgeBand is how old, as far as known.
type AgeBand uint32

// Its values.
const (
	AgeUnknown AgeBand = C.AFTERCART_AGE_UNKNOWN
	AgeMinor   AgeBand = C.AFTERCART_AGE_MINOR
	AgeAdult   AgeBand = C.AFTERCART_AGE_ADULT
)

// Kind is what is offered.
type Kind uint32

// Its values.
const (
	KindProduct          Kind = C.AFTERCART_KIND_PRODUCT
	KindAddOn            Kind = C.AFTERCART_KIND_ADD_ON
	KindWarranty         Kind = C.AFTERCART_KIND_WARRANTY
	KindService          Kind = C.AFTERCART_KIND_SERVICE
	KindSubscription     Kind = C.AFTERCART_KIND_SUBSCRIPTION
	KindPaymentIncentive Kind = C.AFTERCART_KIND_PAYMENT_INCENTIVE
	KindLoyalty          Kind = C.AFTERCART_KIND_LOYALTY
	KindAppPrompt        Kind = C.AFTERCART_KIND_APP_PROMPT
	KindContent          Kind = C.AFTERCART_KIND_CONTENT
	KindNextPurchase     Kind = C.AFTERCART_KIND_NEXT_PURCHASE
)

// Relation is how an offer follows from the order.
type Relation uint32

// Its values.
const (
	RelationBoughtTogether Relation = C.AFTERCART_RELATION_BOUGHT_TOGETHER
	RelationGoesWithType   Relation = C.AFTERCART_RELATION_GOES_WITH_TYPE
	RelationRefill         Relation = C.AFTERCART_RELATION_REFILL
	RelationTriggered      Relation = C.AFTERCART_RELATION_TRIGGERED
	RelationHouse          Relation = C.AFTERCART_RELATION_HOUSE
	RelationAlike          Relation = C.AFTERCART_RELATION_ALIKE
)

// Accept is how an offer may be accepted.
type Accept uint32

// Its values.
const (
	AcceptNone                     Accept = C.AFTERCART_ACCEPT_NONE // there is nothing to accept, or it joins an order that is not paid yet
	AcceptOneClickStoredCredential Accept = C.AFTERCART_ACCEPT_ONE_CLICK_STORED_CREDENTIAL
	AcceptConfirmConsent           Accept = C.AFTERCART_ACCEPT_CONFIRM_CONSENT // one click, and a consent to what recurs
	AcceptRedirect                 Accept = C.AFTERCART_ACCEPT_REDIRECT
	AcceptReenterPayment           Accept = C.AFTERCART_ACCEPT_REENTER_PAYMENT
	AcceptLeadOptIn                Accept = C.AFTERCART_ACCEPT_LEAD_OPT_IN
)

// Acceptance is why an offer is accepted in its way and no shorter one.
type Acceptance uint32

// Its values.
const (
	NothingToAccept Acceptance = C.AFTERCART_ACCEPTANCE_NOTHING_TO_ACCEPT
	AppShop         Acceptance = C.AFTERCART_ACCEPTANCE_APP_SHOP
	Enrolment       Acceptance = C.AFTERCART_ACCEPTANCE_ENROLMENT
	ThirdPartySells Acceptance = C.AFTERCART_ACCEPTANCE_THIRD_PARTY_SELLS
	Regulated       Acceptance = C.AFTERCART_ACCEPTANCE_REGULATED
	BeforePayment   Acceptance = C.AFTERCART_ACCEPTANCE_BEFORE_PAYMENT
	NotRechargeable Acceptance = C.AFTERCART_ACCEPTANCE_NOT_RECHARGEABLE
	Recurs          Acceptance = C.AFTERCART_ACCEPTANCE_RECURS
	SoldOnce        Acceptance = C.AFTERCART_ACCEPTANCE_SOLD_ONCE
)

// Device is where the customer sits.
type Device uint32

// Its values.
const (
	DeviceUnknown Device = C.AFTERCART_DEVICE_UNKNOWN
	DevicePhone   Device = C.AFTERCART_DEVICE_PHONE
	DeviceTablet  Device = C.AFTERCART_DEVICE_TABLET
	DeviceDesktop Device = C.AFTERCART_DEVICE_DESKTOP
)

// Because is why an option stands where it does.
type Because uint32

// Its values.
const (
	HostOrder     Because = C.AFTERCART_BECAUSE_HOST_ORDER // nothing speaks for another place
	LastUsed      Because = C.AFTERCART_BECAUSE_LAST_USED
	OftenUsed     Because = C.AFTERCART_BECAUSE_OFTEN_USED
	ReadyOnDevice Because = C.AFTERCART_BECAUSE_READY_ON_DEVICE
	UsualHere     Because = C.AFTERCART_BECAUSE_USUAL_HERE
	CheaperFirst  Because = C.AFTERCART_BECAUSE_CHEAPER_FIRST // a cheaper one that is as fast comes first
	Holdout       Because = C.AFTERCART_BECAUSE_HOLDOUT
)

// EventKind is what happened after a decision.
type EventKind uint32

// Its values.
const (
	EventActivated      EventKind = C.AFTERCART_EVENT_ACTIVATED // the page was seen: without it nothing counts as shown
	EventEngaged        EventKind = C.AFTERCART_EVENT_ENGAGED
	EventAccepted       EventKind = C.AFTERCART_EVENT_ACCEPTED
	EventAcceptFailed   EventKind = C.AFTERCART_EVENT_ACCEPT_FAILED // Code says why
	EventConverted      EventKind = C.AFTERCART_EVENT_CONVERTED     // an accepted offer earned Value
	EventReturned       EventKind = C.AFTERCART_EVENT_RETURNED      // of that, Value came back
	EventDismissed      EventKind = C.AFTERCART_EVENT_DISMISSED
	EventSurveyAnswered EventKind = C.AFTERCART_EVENT_SURVEY_ANSWERED
	EventOrdered        EventKind = C.AFTERCART_EVENT_ORDERED // the customer ordered something afterwards, by an offer or not
)

// MessageKind is what a message is for.
type MessageKind uint32

// Its values.
const (
	MessageDelivery   MessageKind = C.AFTERCART_MESSAGE_DELIVERY   // owed
	MessageGuidance   MessageKind = C.AFTERCART_MESSAGE_GUIDANCE   // likewise
	MessageSuggestion MessageKind = C.AFTERCART_MESSAGE_SUGGESTION // advertising
	MessageRefill     MessageKind = C.AFTERCART_MESSAGE_REFILL     // likewise
)

// Channel is through what a message goes.
type Channel uint32

// Its values.
const (
	ChannelEmail Channel = C.AFTERCART_CHANNEL_EMAIL
	ChannelSms   Channel = C.AFTERCART_CHANNEL_SMS
	ChannelPush  Channel = C.AFTERCART_CHANNEL_PUSH
)

// Withheld is why a message is not planned.
type Withheld uint32

// Its values.
const (
	WithheldTimeUnknown   Withheld = C.AFTERCART_WITHHELD_TIME_UNKNOWN
	WithheldTooLate       Withheld = C.AFTERCART_WITHHELD_TOO_LATE
	WithheldContactPolicy Withheld = C.AFTERCART_WITHHELD_CONTACT_POLICY
	WithheldConsent       Withheld = C.AFTERCART_WITHHELD_CONSENT
	WithheldGift          Withheld = C.AFTERCART_WITHHELD_GIFT
)

// Exposure is what happened to an offer on an earlier page.
type Exposure uint32

// Its values.
const (
	Shown    Exposure = C.AFTERCART_FACT_SHOWN
	Engaged  Exposure = C.AFTERCART_FACT_ENGAGED
	Accepted Exposure = C.AFTERCART_FACT_ACCEPTED
)

// ItemKind is what an id names.
type ItemKind uint32

// Its values.
const (
	ItemAny     ItemKind = C.AFTERCART_ITEM_ANY // whichever has the id; one that several have is refused
	ItemProduct ItemKind = C.AFTERCART_ITEM_PRODUCT
	ItemOffer   ItemKind = C.AFTERCART_ITEM_OFFER
	ItemPartner ItemKind = C.AFTERCART_ITEM_PARTNER // only in the live overlay
)

// Field is what a live overlay can forget.
type Field uint32

// Its values.
const (
	FieldStock  Field = C.AFTERCART_CHANGE_STOCK
	FieldPrice  Field = C.AFTERCART_CHANGE_PRICE
	FieldBid    Field = C.AFTERCART_CHANGE_BID
	FieldDaily  Field = C.AFTERCART_CHANGE_DAILY
	FieldTotal  Field = C.AFTERCART_CHANGE_TOTAL
	FieldPacing Field = C.AFTERCART_CHANGE_PACING
)

// Answer to a question that may be open.
type Answer uint32

// Its values.
const (
	Unknown Answer = C.AFTERCART_UNKNOWN
	No      Answer = C.AFTERCART_NO
	Yes     Answer = C.AFTERCART_YES
)

// Status is how a call failed. It is an error: errors.Is(err, aftercart.Busy).
type Status int32

// Its values. The header says what each means.
const (
	NullPointer      Status = C.AFTERCART_NULL_POINTER
	Misaligned       Status = C.AFTERCART_MISALIGNED
	BadSize          Status = C.AFTERCART_BAD_SIZE
	UnsupportedField Status = C.AFTERCART_UNSUPPORTED_FIELD
	BadValue         Status = C.AFTERCART_BAD_VALUE
	BadString        Status = C.AFTERCART_BAD_STRING
	BadUTF8          Status = C.AFTERCART_BAD_UTF8
	TooManyLines     Status = C.AFTERCART_TOO_MANY_LINES
	TooManyFacts     Status = C.AFTERCART_TOO_MANY_FACTS
	TooManySlots     Status = C.AFTERCART_TOO_MANY_SLOTS
	UnknownID        Status = C.AFTERCART_UNKNOWN_ID
	TooManyOptions   Status = C.AFTERCART_TOO_MANY_OPTIONS
	BadHandle        Status = C.AFTERCART_BAD_HANDLE
	Busy             Status = C.AFTERCART_BUSY
	Poisoned         Status = C.AFTERCART_POISONED
	BadCatalog       Status = C.AFTERCART_BAD_CATALOG
	BadPolicy        Status = C.AFTERCART_BAD_POLICY
	LiveFull         Status = C.AFTERCART_LIVE_FULL
	BadModel         Status = C.AFTERCART_BAD_MODEL
	BadProgrammes    Status = C.AFTERCART_BAD_PROGRAMMES
	CatalogVersion   Status = C.AFTERCART_CATALOG_VERSION
	OutOfMemory      Status = C.AFTERCART_OUT_OF_MEMORY
	SystemError      Status = C.AFTERCART_SYSTEM_ERROR
	Internal         Status = C.AFTERCART_INTERNAL
	BadLive          Status = C.AFTERCART_BAD_LIVE
	BudgetEmpty      Status = C.AFTERCART_BUDGET_EMPTY
	LeasesOut        Status = C.AFTERCART_LEASES_OUT
	Paused           Status = C.AFTERCART_PAUSED
	LeaseGone        Status = C.AFTERCART_LEASE_GONE
	LeaseForeign     Status = C.AFTERCART_LEASE_FOREIGN
	BadToken         Status = C.AFTERCART_BAD_TOKEN
	BadSignature     Status = C.AFTERCART_BAD_SIGNATURE
	TokenExpired     Status = C.AFTERCART_TOKEN_EXPIRED
	WrongCurrency    Status = C.AFTERCART_WRONG_CURRENCY
)
