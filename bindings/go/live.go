package aftercart

// #include <aftercart.h>
// #include <stdlib.h>
import "C"

import (
	"encoding/binary"
	"math"
	"runtime"
	"time"
	"unsafe"
)

// BindLive makes a live overlay for the engine's catalog, or makes one that is there fit this catalog too: what it knows carries
// over by id. Do so before the first WithLive of a new catalog. The error is an *OpenError.
func (e *Engine) BindLive(path string) error {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	if C.aftercart_live_bind(e.c, text, C.size_t(len(path)), &problem) < 0 {
		return openErrorOf(&problem)
	}
	return nil
}

// WithLive makes an engine that decides with a live overlay, a file that the processes of a machine share. The engine that was
// given stays as it is; close both. The error is an *OpenError.
func (e *Engine) WithLive(path string) (*Engine, error) {
	return e.with(path, func(text *C.char, made **C.aftercart_engine, problem *C.aftercart_error) C.int32_t {
		return C.aftercart_engine_with_live(e.c, text, C.size_t(len(path)), made, problem)
	})
}

// WithModel makes an engine that decides with a model, a file that `aftercart learn` made: by how likely it says that offers are
// accepted. As a shadow it decides nothing, and what it would have said is recorded. Otherwise as WithLive.
func (e *Engine) WithModel(path string, shadow bool) (*Engine, error) {
	return e.with(path, func(text *C.char, made **C.aftercart_engine, problem *C.aftercart_error) C.int32_t {
		return C.aftercart_engine_with_model(e.c, text, C.size_t(len(path)), bitIf(shadow, 1), made, problem)
	})
}

func (e *Engine) with(path string, open func(*C.char, **C.aftercart_engine, *C.aftercart_error) C.int32_t) (*Engine, error) {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	with := &Engine{}
	if open(text, &with.c, &problem) < 0 {
		return nil, openErrorOf(&problem)
	}
	runtime.SetFinalizer(with, (*Engine).Close)
	return with, nil
}

// Change is a change of one product, offer or partner in the live overlay. What is not given stays as it is.
type Change struct {
	Kind      ItemKind // ItemAny = whichever has the id
	ID        string
	Stock     Option // products: units, more than 62 count as 62
	Price     Option // products
	PricedAt  time.Time
	Bid       Option // offers: what you earn, in place of the catalog's
	Daily     Option // offers and partners: limit of a day
	Total     Option // offers and partners: limit over all days
	Pacing    string // with Daily: "even", or 24 or 96 weights joined by commas
	Paused    Answer // not to be shown for now
	Killed    Answer // not to be shown any more
	Money     Answer // limits count minor units of value, not accepted offers
	UTCOffset Option // offers and partners: when the day begins, minutes east of UTC
	Forget    Field  // or-ed: what the overlay forgets, so that the catalog's holds again, or no limit
}

// Edit changes the live overlay: every process of the machine sees a change with its next decision. Each change is made as a
// whole or not at all, in order; the first that cannot be made ends the call. It says how many were made. The error is an
// *OpenError. Not for the goroutine that decides: it waits for other processes that change the overlay.
func (e *Engine) Edit(now time.Time, changes ...Change) (int, error) {
	if len(changes) == 0 {
		return 0, nil
	}
	packed, texts := make([]C.aftercart_change, len(changes)), []byte{0}
	text := func(from string) C.aftercart_text {
		texts = append(texts, from...)
		return C.aftercart_text{offset: C.uint32_t(len(texts) - len(from)), length: C.uint32_t(len(from))}
	}
	for i := range changes {
		from, to := &changes[i], &packed[i]
		if stock, _ := from.Stock.Get(); stock < 0 || stock > math.MaxUint32 {
			return 0, BadValue
		}
		if offset, _ := from.UTCOffset.Get(); offset != int64(int32(offset)) {
			return 0, BadValue
		}
		*to = C.aftercart_change{
			kind: C.uint32_t(from.Kind), clear: C.uint32_t(from.Forget), stock: C.uint32_t(from.Stock.value),
			paused: C.uint32_t(from.Paused), killed: C.uint32_t(from.Killed), money: C.uint32_t(from.Money),
			utc_offset_minutes: C.int32_t(from.UTCOffset.value), id: text(from.ID), pacing: text(from.Pacing),
			price: C.int64_t(from.Price.value), priced_at_ms: millis(from.PricedAt), bid: C.int64_t(from.Bid.value),
			daily: C.int64_t(from.Daily.value), total: C.int64_t(from.Total.value),
		}
		to.set = bitIf(from.Stock.known, C.AFTERCART_CHANGE_STOCK) | bitIf(from.Price.known, C.AFTERCART_CHANGE_PRICE) |
			bitIf(from.Bid.known, C.AFTERCART_CHANGE_BID) | bitIf(from.Daily.known, C.AFTERCART_CHANGE_DAILY) |
			bitIf(from.Total.known, C.AFTERCART_CHANGE_TOTAL) | bitIf(from.Pacing != "", C.AFTERCART_CHANGE_PACING) |
			bitIf(from.UTCOffset.known, C.AFTERCART_CHANGE_UTC_OFFSET)
	}
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	problem, done := C.aftercart_error{struct_size: C.sizeof_aftercart_error}, C.size_t(0)
	status := C.aftercart_live_edit(e.c, &packed[0], C.sizeof_aftercart_change, C.size_t(len(packed)),
		(*C.char)(unsafe.Pointer(&texts[0])), C.size_t(len(texts)), millis(now), &done, &problem)
	if status < 0 {
		return int(done), openErrorOf(&problem)
	}
	return int(done), nil
}

// LiveState is what the live overlay says of one product, offer or partner.
type LiveState struct {
	Kind              ItemKind
	Paused, Killed    bool
	Stock, Price, Bid Option // not known = as the catalog says
	PricedAt          time.Time
	Daily, Total      Option // not known = no limit
	Money, Paced      bool
	UTCOffset         int    // minutes
	ThrottlePPM       uint32 // decisions that pacing turns away now
	Leases            uint32 // that are out
	SpentToday, Spent int64  // activated
	Held              int64  // by leases that are out
}

// Look says what the live overlay knows of one product, offer or partner. The error is an *OpenError.
func (e *Engine) Look(kind ItemKind, id string, now time.Time) (LiveState, error) {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	text := C.CString(id)
	defer C.free(unsafe.Pointer(text))
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	s := C.aftercart_live_state{struct_size: C.sizeof_aftercart_live_state}
	if C.aftercart_live_look(e.c, C.uint32_t(kind), text, C.size_t(len(id)), millis(now), &s, &problem) < 0 {
		return LiveState{}, openErrorOf(&problem)
	}
	return unpackState(&s), nil
}

func unpackState(s *C.aftercart_live_state) LiveState {
	option := func(n C.int64_t) Option {
		if n < 0 {
			return Option{}
		}
		return Some(int64(n))
	}
	state := LiveState{
		Kind: ItemKind(s.kind), Paused: s.paused != 0, Killed: s.killed != 0, Stock: option(C.int64_t(s.stock)),
		Price: option(s.price), Bid: option(s.bid), Daily: option(s.daily), Total: option(s.total), Money: s.money != 0,
		Paced: s.paced != 0, UTCOffset: int(s.utc_offset_minutes), ThrottlePPM: uint32(s.throttle_ppm),
		Leases: uint32(s.leases), SpentToday: int64(s.spent_today), Spent: int64(s.spent), Held: int64(s.held),
	}
	if s.priced_at_ms != 0 {
		state.PricedAt = time.UnixMilli(int64(s.priced_at_ms))
	}
	return state
}

// Lease is the right to spend from the budgets of an offer, until it expires. Keep it with the customer's session: any process of
// the machine may activate or release it.
type Lease struct{ c C.aftercart_lease }

// ExpiresAt says when; zero = it holds nothing, since there is no limit.
func (l *Lease) ExpiresAt() time.Time {
	if l.c.expires_at_ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(l.c.expires_at_ms))
}

// MarshalBinary gives the 48 bytes of the lease.
func (l Lease) MarshalBinary() ([]byte, error) {
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&l.c)), C.sizeof_aftercart_lease)...), nil
}

// UnmarshalBinary takes them back.
func (l *Lease) UnmarshalBinary(bytes []byte) error {
	if len(bytes) != C.sizeof_aftercart_lease || binary.LittleEndian.Uint32(bytes) != C.sizeof_aftercart_lease {
		return BadSize
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&l.c)), C.sizeof_aftercart_lease), bytes)
	return nil
}

// Reserve takes a lease on the budgets of an offer and its partner, before it is shown; it expires after a time of at most a day.
// BudgetEmpty and Paused: do not show the offer. Without a limit, or an overlay, the lease holds nothing.
func (e *Engine) Reserve(offer *Offer, now time.Time, within time.Duration) (Lease, error) {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	lease := Lease{C.aftercart_lease{struct_size: C.sizeof_aftercart_lease}}
	status := C.aftercart_lease_reserve(e.c, C.uint32_t(offer.itemKind), C.uint32_t(offer.itemRow), C.int64_t(offer.Value),
		millis(now), C.int64_t(within.Milliseconds()), &lease.c)
	if status < 0 {
		return Lease{}, closed(Status(status))
	}
	return lease, nil
}

// Activate counts what a lease holds as spent. LeaseGone: it expired, or was used before; do not honour the offer on it.
func (e *Engine) Activate(lease *Lease, now time.Time) error {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	return failure(C.aftercart_lease_activate(e.c, &lease.c, millis(now)))
}

// Release gives back what a lease holds: the customer declined, or left.
func (e *Engine) Release(lease *Lease, now time.Time) error {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	return failure(C.aftercart_lease_release(e.c, &lease.c, millis(now)))
}

func failure(status C.int32_t) error {
	if status < 0 {
		return closed(Status(status))
	}
	return nil
}
