package aftercart

// #include <aftercart.h>
import "C"

import (
	"fmt"
	"time"
)

// Option is a number that may be not known. The zero value is not known.
type Option struct {
	value int64
	known bool
}

// Some number.
func Some(value int64) Option { return Option{value, true} }

// Get says the number, and whether it is known.
func (o Option) Get() (int64, bool) { return o.value, o.known }

// Transaction is a paid order, or a basket before payment. What is not known stays zero.
type Transaction struct {
	OrderID        string    // only hashed into the decision id
	CreatedAt      time.Time // zero = not known: offers that depend on time are not shown
	Value          Option    // total; not known = the sum of the lines, where all prices are known
	Currency       string    // ISO 4217; empty = the catalog's
	Country        string    // ISO 3166-1; empty = not known: offers bound to a region are not shown
	Stage          Stage
	Slots          uint32 // to fill, at most SlotsMax; 0 = as the policy says
	MinRelevance   Option // not known = as the policy says
	IsGift         bool
	IsTest         bool
	Payment        Payment
	Rechargeable   Answer   // whether that payment can be charged again without asking once more
	Placement      string   // its id in the policy; empty = whichever the policy has for the stage
	Tags           []string // your own words for this order, which a policy may ask for
	FirstPurchases bool     // nothing that the customer bought before
	Lines          []Line   // at most LinesMax
}

// Line is one bought line.
type Line struct {
	ItemID    string // the product's id in the feed; may be one that the catalog does not know
	Category  string // full path, levels joined by " > ": stands in where the catalog does not know the id
	Brand     string // likewise
	Quantity  uint32 // 0 = one
	UnitPrice Option
	Role      Role
	Sensitive Sensitive
}

// Profile is the customer, as far as you know and may say. There is no field for a name or an address.
type Profile struct {
	Customer         Customer
	AgeBand          AgeBand
	LoyaltyMember    Answer
	HasApp           Answer
	Consent          Consent
	OptOutThirdParty bool
	LoyaltyTier      string    // your name of it
	Orders           Option    // before this one
	Segments         []string  // your own words for this customer, which a policy may ask for
	UnitKey          [16]byte  // a hash of your choice; only for assigning to experiments. Zero = none
	SessionKey       [16]byte  // a hash that ends with the session. Zero = none
	Purchases        []Event   // oldest first
	Declines         []Event   // products and offers, oldest first
	Exposures        []Exposed // offers that were on earlier pages, oldest first: for frequency caps
	Asked            []Event   // questions that were asked, in this order and before, oldest first, whatever the answer
	Answers          []SurveyAnswer
	OptOutCategories []string // category paths, each with its subtree
	CartRemoved      []string // products that were looked at in this session and put back
}

// Consent is what the customer said to a consent banner, by purpose: Unknown = nobody asked. A policy says what that is worth.
type Consent struct {
	Preferences, Analytics, Marketing, SaleOfData Answer
	GPC                                           bool // the browser sends Global Privacy Control, which refuses the sale of data
}

// Event is something that happened to a product or offer.
type Event struct {
	ID string
	At time.Time // zero = not known
}

// Exposed is what happened to an offer of an earlier page.
type Exposed struct {
	ID    string
	Event Exposure
	At    time.Time // zero = not known, which counts as recent
}

// SurveyAnswer is an answer to a question of a micro-survey. The tag "gift" suppresses refills.
type SurveyAnswer struct{ Question, Tag string }

// Offers is a decision: the slate, best first, and how it came about.
type Offers struct {
	Summary
	count int
	slate [SlotsMax]Offer
}

// Slate is the offers, until the next decision that writes here.
func (o *Offers) Slate() []Offer { return o.slate[:o.count] }

// Offer is one offer of the slate.
type Offer struct {
	itemKind, itemRow uint32
	idLength          uint32
	id                [64]byte

	Kind       Kind
	Accept     Accept     // how it may be accepted; charging is yours
	Acceptance Acceptance // why in that way and no shorter one
	MayConfirm bool       // the customer's bank may want them to confirm the charge
	Relation   Relation
	Position   int    // on the page, from 0
	Line       int    // index of the bought line behind it; -1 where no single line is
	ThirdParty bool   // sold or made by a third party
	Relevance  uint32 // how well it fits what was bought, thousandths
	AcceptPPM  uint32 // probability that the customer accepts it
	SelectPPM  uint32 // probability that the policy shows it in this slot
	Value      int64  // what you earn when it is accepted
	EVMicros   int64  // expected contribution, millionths of a minor unit
	Price      int64  // to the customer, as the live overlay has it, else the catalog; -1 = not known
}

// ID in the feed.
func (o *Offer) ID() string { return string(o.id[:o.idLength]) }

// AppendID appends the ID, for those who make no garbage.
func (o *Offer) AppendID(to []byte) []byte { return append(to, o.id[:o.idLength]...) }

// Summary is the decision as a whole: enough to log it, and to make it again.
type Summary struct {
	Reason                        Reason // without offers: the commonest reason
	DecisionID                    DecisionID
	IndexGeneration               uint64
	PolicyGeneration              uint64
	OverlayGeneration             uint64     // changes of the live overlay before the decision; 0 without one
	ModelGeneration               uint32     // content of the model; 0 without one
	GroupID                       DecisionID // equal for all decisions of one order, whatever the customer answered
	Retrieved, Eligible, Rejected uint32     // candidates
	Centroids, Cells, Compared    uint32     // work of the search
}

// DecisionID is equal for equal order, catalog and policy.
type DecisionID struct{ High, Low uint64 }

func (id DecisionID) String() string { return fmt.Sprintf("%016x%016x", id.High, id.Low) }

// Reason says why nothing was offered.
type Reason uint32

func (r Reason) String() string { return C.GoString(C.aftercart_reason_text(C.uint32_t(r))) }

// Limits of a call.
const (
	LinesMax = C.AFTERCART_LINES_MAX
	FactsMax = C.AFTERCART_FACTS_MAX // purchases, declines, exposures, answers, opt-outs, what was put back, tags and segments, together
	SlotsMax = C.AFTERCART_SLOTS_MAX
)
