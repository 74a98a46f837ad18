package aftercart

// #include "request.h"
import "C"

import (
	"encoding/binary"
	"math"
	"time"
	"unsafe"
)

// pack writes a request into the decider's block in C.
func (d *Decider) pack(order *Transaction, customer *Profile) error {
	if order == nil {
		return NullPointer
	}
	if len(order.Lines) > LinesMax {
		return TooManyLines
	}
	facts := len(order.Tags)
	if customer != nil {
		facts += customer.facts()
	}
	if facts > FactsMax {
		return TooManyFacts
	}
	r := d.request
	d.starved = false
	r.strings_length, r.fact_count, r.line_count = 0, 0, C.size_t(len(order.Lines))
	if err := d.packOrder(&r.transaction, order); err != nil {
		return err
	}
	for i := range order.Lines {
		from := &order.Lines[i]
		r.lines[i] = C.aftercart_line{
			item_id: d.text(from.ItemID), category: d.text(from.Category), brand: d.text(from.Brand),
			quantity: C.uint32_t(from.Quantity), role: C.uint32_t(from.Role), sensitive: C.uint32_t(from.Sensitive),
			unit_price: C.int64_t(from.UnitPrice.value),
			flags:      bitIf(from.UnitPrice.known, C.AFTERCART_LINE_HAS_UNIT_PRICE),
		}
	}
	r.profile = C.aftercart_profile{struct_size: C.sizeof_aftercart_profile}
	if customer != nil {
		if err := d.packCustomer(&r.profile, customer); err != nil {
			return err
		}
	}
	for _, tag := range order.Tags {
		d.fact(C.AFTERCART_FACT_ORDER_TAG, tag)
	}
	switch {
	case d.starved:
		return OutOfMemory
	case r.strings_length > math.MaxUint32:
		return BadString
	}
	return nil
}

func (d *Decider) packOrder(to *C.aftercart_transaction, from *Transaction) error {
	least, given := from.MinRelevance.Get()
	if least < 0 || least > math.MaxUint32 {
		return BadValue
	}
	*to = C.aftercart_transaction{
		struct_size:   C.sizeof_aftercart_transaction,
		created_at_ms: millis(from.CreatedAt),
		value:         C.int64_t(from.Value.value),
		order_id:      d.text(from.OrderID),
		placement:     d.text(from.Placement),
		payment:       C.uint32_t(from.Payment),
		rechargeable:  C.uint32_t(from.Rechargeable),
		stage:         C.uint32_t(from.Stage),
		slots:         C.uint32_t(from.Slots),
		min_relevance: C.uint32_t(least),
		flags: bitIf(from.Value.known, C.AFTERCART_TRANSACTION_HAS_VALUE) |
			bitIf(given, C.AFTERCART_TRANSACTION_HAS_MIN_RELEVANCE) |
			bitIf(from.IsGift, C.AFTERCART_TRANSACTION_IS_GIFT) |
			bitIf(from.IsTest, C.AFTERCART_TRANSACTION_IS_TEST) |
			bitIf(from.FirstPurchases, C.AFTERCART_TRANSACTION_FIRST_PURCHASES),
	}
	if !code(&to.currency, from.Currency) || !code(&to.country, from.Country) {
		return BadValue
	}
	return nil
}

func (d *Decider) packCustomer(to *C.aftercart_profile, from *Profile) error {
	orders, given := from.Orders.Get()
	if orders < 0 || orders > math.MaxUint32 {
		return BadValue
	}
	to.orders, to.loyalty_tier = C.uint32_t(orders), d.text(from.LoyaltyTier)
	to.customer, to.age_band = C.uint32_t(from.Customer), C.uint32_t(from.AgeBand)
	to.loyalty_member, to.has_app = C.uint32_t(from.LoyaltyMember), C.uint32_t(from.HasApp)
	to.flags = bitIf(from.OptOutThirdParty, C.AFTERCART_PROFILE_OPT_OUT_THIRD_PARTY) |
		bitIf(given, C.AFTERCART_PROFILE_HAS_ORDERS) | bitIf(from.Consent.GPC, C.AFTERCART_PROFILE_GPC)
	said := [...]Answer{
		C.AFTERCART_PURPOSE_PREFERENCES: from.Consent.Preferences, C.AFTERCART_PURPOSE_ANALYTICS: from.Consent.Analytics,
		C.AFTERCART_PURPOSE_MARKETING: from.Consent.Marketing, C.AFTERCART_PURPOSE_SALE_OF_DATA: from.Consent.SaleOfData,
	}
	for purpose, answer := range said {
		to.purposes_asked |= bitIf(answer != Unknown, 1<<purpose)
		to.purposes_granted |= bitIf(answer == Yes, 1<<purpose)
	}
	to.unit_key, to.session_key = key(&from.UnitKey), key(&from.SessionKey)
	for i := range from.Purchases {
		d.fact(C.AFTERCART_FACT_PURCHASE, from.Purchases[i].ID).at_ms = millis(from.Purchases[i].At)
	}
	for i := range from.Declines {
		d.fact(C.AFTERCART_FACT_DECLINE, from.Declines[i].ID).at_ms = millis(from.Declines[i].At)
	}
	for i := range from.Exposures {
		kind := C.uint32_t(from.Exposures[i].Event)
		if kind < C.AFTERCART_FACT_SHOWN || kind > C.AFTERCART_FACT_ACCEPTED {
			return BadValue
		}
		d.fact(kind, from.Exposures[i].ID).at_ms = millis(from.Exposures[i].At)
	}
	for i := range from.Asked {
		d.fact(C.AFTERCART_FACT_ASKED, from.Asked[i].ID).at_ms = millis(from.Asked[i].At)
	}
	for i := range from.Answers {
		d.fact(C.AFTERCART_FACT_ANSWER, from.Answers[i].Question).tag = d.text(from.Answers[i].Tag)
	}
	for _, category := range from.OptOutCategories {
		d.fact(C.AFTERCART_FACT_OPT_OUT_CATEGORY, category)
	}
	for _, item := range from.CartRemoved {
		d.fact(C.AFTERCART_FACT_CART_REMOVED, item)
	}
	for _, segment := range from.Segments {
		d.fact(C.AFTERCART_FACT_SEGMENT, segment)
	}
	return nil
}

func (p *Profile) facts() int {
	return len(p.Purchases) + len(p.Declines) + len(p.Exposures) + len(p.Answers) + len(p.OptOutCategories) + len(p.CartRemoved) +
		len(p.Segments) + len(p.Asked)
}

// fact adds a fact. The caller counted: there is room.
func (d *Decider) fact(kind C.uint32_t, id string) *C.aftercart_fact {
	to := &d.request.facts[d.request.fact_count]
	d.request.fact_count++
	*to = C.aftercart_fact{kind: kind, id: d.text(id)}
	return to
}

// text puts a text into the block of strings.
func (d *Decider) text(from string) C.aftercart_text {
	if from == "" {
		return C.aftercart_text{}
	}
	start := int(d.request.strings_length)
	end := start + len(from)
	if end > d.room {
		grown := C.realloc(unsafe.Pointer(d.request.strings), C.size_t(2*end+1024))
		if grown == nil {
			d.starved = true
			return C.aftercart_text{}
		}
		d.request.strings, d.room = (*C.char)(grown), 2*end+1024
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(d.request.strings)), end)[start:], from)
	d.request.strings_length = C.size_t(end)
	return C.aftercart_text{offset: C.uint32_t(start), length: C.uint32_t(len(from))}
}

// unpack reads what the call wrote.
func (d *Decider) unpack(offers *Offers) {
	r := d.request
	offers.count = int(r.count)
	for i := 0; i < offers.count; i++ {
		from, to := &r.offers[i], &offers.slate[i]
		to.itemKind, to.itemRow = uint32(from.item_kind), uint32(from.item_row)
		to.idLength = uint32(copy(to.id[:], unsafe.Slice((*byte)(unsafe.Pointer(&from.id)), from.id_length)))
		to.Kind, to.Relation, to.Accept = Kind(from.kind), Relation(from.relation), Accept(from.accept)
		to.Position, to.Line, to.ThirdParty = int(from.position), int(from.line), from.third_party != 0
		to.Relevance, to.Value = uint32(from.relevance), int64(from.value)
		to.AcceptPPM, to.SelectPPM = uint32(from.p_accept_ppm), uint32(from.p_select_ppm)
		to.EVMicros, to.Price = int64(from.ev_micros), int64(from.price)
		to.Acceptance, to.MayConfirm = Acceptance(from.accept_reason), from.may_need_confirmation != 0
	}
	s := &r.summary
	offers.Summary = Summary{
		Reason:          Reason(s.reason),
		DecisionID:      DecisionID{High: uint64(s.decision_id_high), Low: uint64(s.decision_id_low)},
		IndexGeneration: uint64(s.index_generation), PolicyGeneration: uint64(s.policy_generation),
		OverlayGeneration: uint64(s.overlay_generation), ModelGeneration: uint32(s.model_generation),
		GroupID:   DecisionID{High: uint64(s.group_id_high), Low: uint64(s.group_id_low)},
		Retrieved: uint32(s.retrieved), Eligible: uint32(s.eligible), Rejected: uint32(s.rejected),
		Centroids: uint32(s.centroids), Cells: uint32(s.cells), Compared: uint32(s.compared),
	}
}

func bitIf(set bool, bit C.uint32_t) C.uint32_t {
	if set {
		return bit
	}
	return 0
}

func millis(at time.Time) C.int64_t {
	if at.IsZero() {
		return 0
	}
	return C.int64_t(at.UnixMilli())
}

// code copies a short code, which C checks; false where it does not even fit.
func code(to *[4]C.char, from string) bool {
	if len(from) > len(to) {
		return false
	}
	for i := 0; i < len(from); i++ {
		to[i] = C.char(from[i])
	}
	return true
}

func key(from *[16]byte) (to [2]C.uint64_t) {
	to[0] = C.uint64_t(binary.LittleEndian.Uint64(from[:8]))
	to[1] = C.uint64_t(binary.LittleEndian.Uint64(from[8:]))
	return to
}
