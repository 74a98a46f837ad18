package aftercart

// #include "request.h"
import "C"

import (
	"time"
	"unsafe"
)

// LogTo says where deciders keep their decisions, and how.
type LogTo struct {
	Folder   string // of the log; made where it is not there
	Capacity uint   // decisions of 824 bytes until they are drained; 0 = 4096
	Timed    bool   // also how long each took
}

// Log lets every decider that is made from now on keep its decisions in a log's folder, those of a Pool too, also where it goes on
// with another engine: in files of which another process makes Parquet, while this one lives and after it was killed
// (aftercart log --log FOLDER --catalog FILE --every 5). A decision waits for nothing: where its ring is full it is counted as
// dropped. A folder that cannot be written fails in NewDecider.
func (e *Engine) Log(to LogTo) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.log = to
}

// start begins the log of a decider that is being made.
func (to *LogTo) start(decider *C.aftercart_decider, problem *C.aftercart_error) C.int32_t {
	if to.Folder == "" {
		return C.AFTERCART_OK
	}
	folder := C.CString(to.Folder)
	defer C.free(unsafe.Pointer(folder))
	return C.aftercart_log_to(decider, folder, C.size_t(len(to.Folder)), C.size_t(to.Capacity), bitIf(to.Timed, C.AFTERCART_LOG_TIMED),
		problem)
}

// Logged is what became of the decisions of a decider since it logs.
type Logged struct {
	Logs    bool   // whether it does
	Made    uint64 // logged and dropped
	Logged  uint64 // in the ring, or in files
	Dropped uint64 // lost, since the ring was full
	Drained uint64 // of those logged, the ones that were put into files
}

// Logged says what became of the decisions, where the engine's Log was called before.
func (d *Decider) Logged() (Logged, error) {
	if !d.busy.CompareAndSwap(false, true) {
		return Logged{}, Busy
	}
	defer d.busy.Store(false)
	if d.request == nil {
		return Logged{}, BadHandle
	}
	counts := C.aftercart_logged{struct_size: C.sizeof_aftercart_logged}
	if status := Status(C.aftercart_log_counts(d.request.decider, &counts)); status < 0 {
		return Logged{}, status
	}
	return unpackLogged(&counts), nil
}

func unpackLogged(of *C.aftercart_logged) Logged {
	return Logged{of.logs != 0, uint64(of.made), uint64(of.logged), uint64(of.dropped), uint64(of.drained)}
}

// LogEvent is what came of a decision: one thing that happened. Amounts are minor units of the currency of the decision.
type LogEvent struct {
	Kind             EventKind
	ID               string // its own, 1 to 128 bytes: of several with the same id only one counts, so repeat what you are not sure of
	DecisionID       DecisionID
	At               time.Time
	ItemID           string // of the product or offer; empty = the whole page
	Value            Option // 0 or more; converted, returned and ordered have one
	Margin           Option // may be negative
	Payout           Option // from the partner, 0 or more
	Code             string // your own word: why it failed, was declined or came back
	Question, Answer string // of a survey, and the answer's tag
}

// Append appends the event to a log, for the command aftercart log to take in: the folder that Engine.Log names. From any goroutine,
// at any time; some 10 microseconds. The error is an *OpenError: of SystemError the event is not in the log, so try again.
func (e *LogEvent) Append(folder string) error {
	event, texts := e.pack()
	path := C.CString(folder)
	defer C.free(unsafe.Pointer(path))
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	strings := (*C.char)(unsafe.Pointer(&texts[0]))
	if C.aftercart_event_append(path, C.size_t(len(folder)), &event, strings, C.size_t(len(texts)), &problem) < 0 {
		return openError(&problem)
	}
	return nil
}

// JSON is the form that aftercart events import reads, one object, where you carry events to the log yourself. The error is an
// *OpenError.
func (e *LogEvent) JSON() ([]byte, error) {
	event, texts := e.pack()
	problem, length := C.aftercart_error{struct_size: C.sizeof_aftercart_error}, C.size_t(0)
	json := make([]byte, C.AFTERCART_JSON_BYTES)
	room, strings := (*C.char)(unsafe.Pointer(&json[0])), (*C.char)(unsafe.Pointer(&texts[0]))
	if C.aftercart_event_json(&event, strings, C.size_t(len(texts)), room, C.size_t(len(json)), &length, &problem) < 0 {
		return nil, openError(&problem)
	}
	return json[:length], nil
}

func (e *LogEvent) pack() (C.aftercart_event, []byte) {
	texts := []byte{0}
	text := func(from string) C.aftercart_text {
		texts = append(texts, from...)
		return C.aftercart_text{offset: C.uint32_t(len(texts) - len(from)), length: C.uint32_t(len(from))}
	}
	return C.aftercart_event{
		struct_size: C.sizeof_aftercart_event, kind: C.uint32_t(e.Kind), at_ms: millis(e.At),
		decision_id_low: C.uint64_t(e.DecisionID.Low), decision_id_high: C.uint64_t(e.DecisionID.High),
		value: C.int64_t(e.Value.value), margin: C.int64_t(e.Margin.value), payout: C.int64_t(e.Payout.value),
		flags: bitIf(e.Value.known, C.AFTERCART_AMOUNT_VALUE) | bitIf(e.Margin.known, C.AFTERCART_AMOUNT_MARGIN) |
			bitIf(e.Payout.known, C.AFTERCART_AMOUNT_PAYOUT),
		event_id: text(e.ID), item_id: text(e.ItemID), code: text(e.Code), question: text(e.Question), answer: text(e.Answer),
	}, texts
}
