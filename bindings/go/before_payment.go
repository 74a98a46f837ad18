package aftercart

// #include "request.h"
import "C"

import "time"

// OptionsMax is how many ways to pay or to ship are put in order.
const OptionsMax = C.AFTERCART_OPTIONS_MAX

// PaymentOption is a way to pay that you permit for this order.
type PaymentOption struct {
	ID    string // your name for it
	Ready bool   // set up on the device, as wallets are
}

// ShippingOption is a way to ship that you permit for this order.
type ShippingOption struct {
	ID        string // your name for it
	Price     int64
	ArrivesBy time.Time // the last moment of the promised window; zero = none was promised
}

// Use is what the customer paid or shipped with before.
type Use struct {
	ID     string
	At     time.Time // zero = not known
	Failed bool      // declined, or given up
}

// MethodCount is how often your customers use a way to pay, in one group of orders.
type MethodCount struct {
	ID         string
	Country    string // ISO 3166-1
	Device     Device
	AmountFrom int64 // and below the next greater one that occurs
	Orders     uint32
}

// PaymentFacts is what is known of ways to pay. The zero value is nothing.
type PaymentFacts struct {
	Uses   []Use // the customer's
	Counts []MethodCount
	Device Device
}

// Ranked is where an option goes: its index, and why.
type Ranked struct {
	Option  int
	Because Because
}

// RankPaymentMethods puts the ways to pay that you permit in order, best first: by the customer's own use, drawn to what your
// customers here use. None is added or taken away.
func (d *Decider) RankPaymentMethods(order *Transaction, customer *Profile, options []PaymentOption, known PaymentFacts) ([]Ranked, error) {
	return d.rank(order, customer, known.Uses, len(options), func(rows []C.aftercart_option, ranking *C.aftercart_ranked, count *C.size_t) Status {
		for i, of := range options {
			rows[i] = C.aftercart_option{id: d.text(of.ID), flags: bitIf(of.Ready, C.AFTERCART_OPTION_READY)}
		}
		counts := make([]C.aftercart_method_count, len(known.Counts)+1)
		for i, of := range known.Counts {
			counts[i] = C.aftercart_method_count{id: d.text(of.ID), device: C.uint32_t(of.Device), amount_from: C.int64_t(of.AmountFrom),
				orders: C.uint32_t(of.Orders)}
			if !code(&counts[i].country, of.Country) {
				return BadValue
			}
		}
		return Status(C.rank_payment(d.request, C.uint32_t(known.Device), &rows[0], C.size_t(len(options)), &counts[0],
			C.size_t(len(known.Counts)), ranking, count))
	})
}

// RankShippingOptions puts the ways to ship that you permit in order, best first: by the customer's own use. A dearer one never stands
// above one that is cheaper and promised as early or earlier.
func (d *Decider) RankShippingOptions(order *Transaction, customer *Profile, options []ShippingOption, uses []Use) ([]Ranked, error) {
	return d.rank(order, customer, uses, len(options), func(rows []C.aftercart_option, ranking *C.aftercart_ranked, count *C.size_t) Status {
		for i, of := range options {
			rows[i] = C.aftercart_option{id: d.text(of.ID), price: C.int64_t(of.Price), arrives_by_ms: millis(of.ArrivesBy)}
		}
		return Status(C.rank_shipping(d.request, &rows[0], C.size_t(len(options)), ranking, count))
	})
}

func (d *Decider) rank(order *Transaction, customer *Profile, uses []Use, options int,
	call func([]C.aftercart_option, *C.aftercart_ranked, *C.size_t) Status) ([]Ranked, error) {
	if !d.busy.CompareAndSwap(false, true) {
		return nil, Busy
	}
	defer d.busy.Store(false)
	if d.request == nil {
		return nil, BadHandle
	}
	if err := d.pack(order, customer); err != nil {
		return nil, err
	}
	if int(d.request.fact_count)+len(uses) > FactsMax {
		return nil, TooManyFacts
	}
	for _, use := range uses {
		kind := C.uint32_t(C.AFTERCART_FACT_USED)
		if use.Failed {
			kind = C.AFTERCART_FACT_FAILED
		}
		d.fact(kind, use.ID).at_ms = millis(use.At)
	}
	var ranking [OptionsMax]C.aftercart_ranked
	var count C.size_t
	status := call(make([]C.aftercart_option, options+1), &ranking[0], &count)
	if d.starved {
		return nil, OutOfMemory
	}
	if status < 0 {
		return nil, status
	}
	return unpackRanked(ranking[:count]), nil
}

func unpackRanked(ranking []C.aftercart_ranked) []Ranked {
	to := make([]Ranked, len(ranking))
	for i, of := range ranking {
		to[i] = Ranked{int(of.option), Because(of.because)}
	}
	return to
}

// StoredField is something in your store that may be filled in. Its value stays with you.
type StoredField struct {
	Field    uint8  // what it is, by a number of yours; at most one of each is suggested
	Slot     uint16 // its place in your store
	Country  string // of an address, ISO 3166-1
	Uses     uint32
	LastUsed time.Time // zero = not known
}

// Prefilled is what to fill in.
type Prefilled struct {
	Field         uint8
	Slot          uint16
	ConfidencePPM uint32
	Because       Because
}

// Prefill says which stored thing to fill in for each field, where more than half of its uses, fading over months, are one slot's. An
// address of another country than the order's is left out, and for a gift every address is.
func Prefill(order *Transaction, stored []StoredField) ([]Prefilled, error) {
	given := C.aftercart_transaction{struct_size: C.sizeof_aftercart_transaction, created_at_ms: millis(order.CreatedAt),
		flags: bitIf(order.IsGift, C.AFTERCART_TRANSACTION_IS_GIFT)}
	if !code(&given.country, order.Country) {
		return nil, BadValue
	}
	rows := make([]C.aftercart_stored, len(stored)+1)
	for i := range stored {
		if !stored[i].pack(&rows[i]) {
			return nil, BadValue
		}
	}
	var filled [OptionsMax]C.aftercart_prefilled
	var count C.size_t
	status := Status(C.aftercart_prefill(&given, &rows[0], C.sizeof_aftercart_stored, C.size_t(len(stored)), &filled[0],
		C.sizeof_aftercart_prefilled, OptionsMax, &count))
	if status < 0 {
		return nil, status
	}
	to := make([]Prefilled, count)
	for i := range to {
		to[i].unpack(&filled[i])
	}
	return to, nil
}

func (s *StoredField) pack(to *C.aftercart_stored) bool {
	*to = C.aftercart_stored{field: C.uint32_t(s.Field), slot: C.uint32_t(s.Slot), uses: C.uint32_t(s.Uses), last_used_ms: millis(s.LastUsed)}
	return code(&to.country, s.Country)
}

func (p *Prefilled) unpack(from *C.aftercart_prefilled) {
	*p = Prefilled{uint8(from.field), uint16(from.slot), uint32(from.confidence_ppm), Because(from.because)}
}
