package aftercart

// #include "request.h"
import "C"

import (
	"strconv"
	"strings"
	"unsafe"
)

// Explanation is everything that speaks for and against one product or offer.
type Explanation struct {
	Position  int      // on the page; -1 = not shown
	Reasons   []Reason // why it is not shown: all rules that refuse it, and the limit or competitor that it lost to
	Rules     []string // of the policy, that refuse it
	Relation  Relation // 0 = nothing leads to it
	Line      int      // index of the bought line behind it; -1 where no single line is
	Relevance uint32   // thousandths
	AcceptPPM uint32
	EVMicros  int64
	Features  []Feature // of the score, for products
}

// Feature is what one feature adds to the score of a product: thousandths of a nat.
type Feature struct {
	Name          string
	Value, Weight int
}

// Explain says why a product or offer is, or is not, on the page of a request. For people: it takes some times as long as a
// decision, and makes garbage.
func (d *Decider) Explain(order *Transaction, customer *Profile, kind ItemKind, id string) (*Explanation, error) {
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
	text := C.CString(id)
	defer C.free(unsafe.Pointer(text))
	e := C.aftercart_explanation{struct_size: C.sizeof_aftercart_explanation}
	length := C.size_t(4096)
	for {
		names := (*C.char)(C.calloc(1, length+1))
		status := Status(C.explain(d.request, C.uint32_t(kind), text, C.size_t(len(id)), &e, names, length+1, &length))
		told := C.GoString(names)
		C.free(unsafe.Pointer(names))
		if status < 0 {
			return nil, status
		}
		if status == C.AFTERCART_OK {
			return unpackExplanation(&e, told), nil
		}
	}
}

func unpackExplanation(e *C.aftercart_explanation, names string) *Explanation {
	to := &Explanation{
		Position: int(e.position), Relation: Relation(e.relation), Line: int(e.line), Relevance: uint32(e.relevance),
		AcceptPPM: uint32(e.p_accept_ppm), EVMicros: int64(e.ev_micros),
	}
	for i := 0; i < int(e.reason_count) && i < len(e.reasons); i++ {
		to.Reasons = append(to.Reasons, Reason(e.reasons[i]))
	}
	for _, line := range strings.Split(names, "\n") {
		switch fields := strings.Split(line, "\t"); fields[0] {
		case "rule":
			to.Rules = append(to.Rules, fields[1])
		case "feature":
			value, _ := strconv.Atoi(fields[2])
			weight, _ := strconv.Atoi(fields[3])
			to.Features = append(to.Features, Feature{fields[1], value, weight})
		}
	}
	return to
}

// Use lets a decider go on with another engine: another catalog, or another overlay.
func (d *Decider) Use(engine *Engine) error {
	if !d.busy.CompareAndSwap(false, true) {
		return Busy
	}
	defer d.busy.Store(false)
	if d.request == nil {
		return BadHandle
	}
	engine.mutex.RLock()
	defer engine.mutex.RUnlock()
	return failure(C.aftercart_decider_use(d.request.decider, engine.c))
}
