package aftercart

// #include "request.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// Programmes is what follows a purchase, by category: read once, for the catalog of an engine, and again for every new catalog. Any
// number of goroutines may use it.
type Programmes struct{ c *C.aftercart_programmes }

// Programmes reads a file of TOML. The error is an *OpenError: BadProgrammes says where and why.
func (e *Engine) Programmes(path string) (*Programmes, error) {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	programmes := &Programmes{}
	if C.aftercart_programmes_open(e.c, text, C.size_t(len(path)), &programmes.c, &problem) < 0 {
		return nil, openErrorOf(&problem)
	}
	runtime.SetFinalizer(programmes, func(of *Programmes) { C.aftercart_programmes_free(of.c) })
	return programmes, nil
}

// FollowUp is a message that is planned, or withheld. Offers in advertising are decided when it is sent, for StageEmail.
type FollowUp struct {
	itemKind, itemRow uint32

	Kind         MessageKind
	Channel      Channel
	Withheld     Withheld  // 0 = planned
	Line         int       // index of the bought line that it is about
	At           time.Time // when to send it
	ExpiresAt    time.Time // when it no longer makes sense
	DueDays      int       // of a refill: days from the order to the next purchase that is expected; else -1
	OwnIntervals int       // of the customer's behind that; 0 = the usual days alone
	Programme    string
	Template     string // your mail service's name for it
	ContentID    string // of the offer that it carries; empty = none
}

// Outlook is what is known of the days after an order. The zero value is nothing.
type Outlook struct {
	Delivery time.Time   // as promised; zero = as the programmes say
	Contacts []time.Time // other messages that the customer gets, through any channel
}

// PlanFollowUps plans what to send in the days after an order: what is planned, earliest first, then what is withheld. A plan, not a
// sender. BadProgrammes: they were made for another catalog.
func (d *Decider) PlanFollowUps(programmes *Programmes, order *Transaction, customer *Profile, outlook Outlook) ([]FollowUp, error) {
	if !d.busy.CompareAndSwap(false, true) {
		return nil, Busy
	}
	defer d.busy.Store(false)
	defer runtime.KeepAlive(programmes)
	if d.request == nil {
		return nil, BadHandle
	}
	if err := d.pack(order, customer); err != nil {
		return nil, err
	}
	if int(d.request.fact_count)+len(outlook.Contacts) > FactsMax {
		return nil, TooManyFacts
	}
	for _, at := range outlook.Contacts {
		d.fact(C.AFTERCART_FACT_CONTACTED, "").at_ms = millis(at)
	}
	var rows [C.AFTERCART_FOLLOW_UPS_MAX]C.aftercart_follow_up
	var count C.size_t
	if status := Status(C.plan_follow_ups(d.request, programmes.c, millis(outlook.Delivery), &rows[0], &count)); status < 0 {
		return nil, status
	}
	plan := make([]FollowUp, count)
	for i := range plan {
		plan[i].unpack(&rows[i])
	}
	return plan, nil
}

func (f *FollowUp) unpack(from *C.aftercart_follow_up) {
	*f = FollowUp{
		itemKind: uint32(from.item_kind), itemRow: uint32(from.item_row), Kind: MessageKind(from.kind), Channel: Channel(from.channel),
		Withheld: Withheld(from.withheld), Line: int(from.line), At: time.UnixMilli(int64(from.at_ms)),
		ExpiresAt: time.UnixMilli(int64(from.expires_at_ms)), DueDays: int(from.due_days), OwnIntervals: int(from.own_intervals),
		Programme: C.GoString(&from.programme[0]), Template: C.GoString(&from.template_id[0]), ContentID: C.GoString(&from.content_id[0]),
	}
}

// TitleOf is the title of the product that a message is about; empty where the catalog does not know it.
func (e *Engine) TitleOf(message *FollowUp) string {
	if message.itemKind == 0 {
		return ""
	}
	return e.text(message.itemKind, message.itemRow, C.AFTERCART_TEXT_TITLE)
}
