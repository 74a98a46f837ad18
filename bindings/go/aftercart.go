// Package aftercart decides in microseconds, inside the checkout process, which few offers belong on a receipt page, or none.
//
//	engine, err := aftercart.Open("shop.aftercart", nil) // once; an Engine may be used by all goroutines
//	pool, err := aftercart.NewPool(engine, 0)             // once; deciders for as many goroutines as run at a time
//	err = pool.Decide(&order, &customer, &offers)         // in the request: no garbage, one call into C
//
// It binds the C library: include/aftercart.h says what every field means. Amounts are minor units of the catalog's currency,
// times Unix milliseconds, relevance is in thousandths, probabilities are in parts per million.
package aftercart

// #cgo pkg-config: aftercart
// #include "request.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Mode says how a catalog file gets into memory.
type Mode uint32

// Verify says how much of a file is checked when it is opened.
type Verify uint32

// Prefault says what is read from disk before decisions ask for it.
type Prefault uint32

// The choices of Options. The zero value is the default.
const (
	Map                Mode     = C.AFTERCART_OPEN_MAP
	Copy               Mode     = C.AFTERCART_OPEN_COPY
	VerifyFull         Verify   = C.AFTERCART_VERIFY_FULL
	VerifyStructure    Verify   = C.AFTERCART_VERIFY_STRUCTURE
	PrefaultBackground Prefault = C.AFTERCART_PREFAULT_BACKGROUND
	PrefaultWhole      Prefault = C.AFTERCART_PREFAULT_WHOLE
	PrefaultNone       Prefault = C.AFTERCART_PREFAULT_NONE
)

// Options for Open.
type Options struct {
	Mode     Mode
	Verify   Verify
	Prefault Prefault
	// VisitBudget is how many products a search may look at; 0 = as the catalog says.
	VisitBudget uint64
}

func (o *Options) pack() C.aftercart_options {
	to := C.aftercart_options{struct_size: C.sizeof_aftercart_options}
	if o != nil {
		to.mode, to.verify = C.uint32_t(o.Mode), C.uint32_t(o.Verify)
		to.prefault, to.visit_budget = C.uint32_t(o.Prefault), C.uint64_t(o.VisitBudget)
	}
	return to
}

// Engine is an opened catalog with its policy. It never changes; any number of goroutines may use it.
type Engine struct {
	mutex sync.RWMutex // Close waits for calls that use the handle
	c     *C.aftercart_engine
	log   LogTo // of its deciders
}

// Open opens a catalog file. options may be nil. The error is an *OpenError.
func Open(path string, options *Options) (*Engine, error) {
	if abi := C.aftercart_abi_version(); abi != C.AFTERCART_ABI_VERSION {
		message := fmt.Sprintf("the library has ABI %d, this binding was compiled for %d", abi, C.AFTERCART_ABI_VERSION)
		return nil, &OpenError{Status: Internal, Message: message}
	}
	given := options.pack()
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	engine := &Engine{}
	if C.aftercart_engine_open(text, C.size_t(len(path)), &given, &engine.c, &problem) != C.AFTERCART_OK {
		return nil, openError(&problem)
	}
	runtime.SetFinalizer(engine, (*Engine).Close) // a net; Close is the way
	return engine, nil
}

// Close gives the catalog back. Deciders keep what they need of it. Further calls do nothing.
func (e *Engine) Close() error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	C.aftercart_engine_close(e.c)
	e.c = nil
	runtime.SetFinalizer(e, nil)
	return nil
}

// Info says what an engine is.
type Info struct {
	Products, Offers                  uint32
	Currency                          string    // of all amounts, ISO 4217
	IndexGeneration, PolicyGeneration uint64    // equal content, equal number
	CreatedAt                         time.Time // when the newest order in the catalog was placed
	FileBytes                         uint64
	Kernel                            string // the instruction set that compares vectors
}

// Info says what the engine is.
func (e *Engine) Info() (Info, error) {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	info := C.aftercart_info{struct_size: C.sizeof_aftercart_info}
	if status := Status(C.aftercart_engine_info(e.c, &info)); status < 0 {
		return Info{}, closed(status)
	}
	return unpackInfo(&info), nil
}

func unpackInfo(info *C.aftercart_info) Info {
	return Info{
		Products: uint32(info.products), Offers: uint32(info.offers), Currency: C.GoStringN(&info.currency[0], 3),
		IndexGeneration: uint64(info.index_generation), PolicyGeneration: uint64(info.policy_generation),
		CreatedAt: time.UnixMilli(int64(info.created_at_ms)), FileBytes: uint64(info.file_bytes),
		Kernel: C.GoString(&info.kernel[0]),
	}
}

// Title of an offer of this engine's deciders; empty where it has none, or the engine is closed.
func (e *Engine) Title(offer *Offer) string {
	return e.text(offer.itemKind, offer.itemRow, C.AFTERCART_TEXT_TITLE)
}

// Category path of an offer's product; empty where not known and for other offers.
func (e *Engine) Category(offer *Offer) string {
	return e.text(offer.itemKind, offer.itemRow, C.AFTERCART_TEXT_CATEGORY)
}

// Partner is the id of the partner behind an offer; empty for your own.
func (e *Engine) Partner(offer *Offer) string {
	return e.text(offer.itemKind, offer.itemRow, C.AFTERCART_TEXT_PARTNER)
}

func (e *Engine) text(kind, row uint32, which C.uint32_t) string {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	buffer := make([]byte, 256)
	for {
		var length C.size_t
		room := (*C.char)(unsafe.Pointer(&buffer[0]))
		status := C.aftercart_item_text(e.c, C.uint32_t(kind), C.uint32_t(row), which, room,
			C.size_t(len(buffer)), &length)
		if status != C.AFTERCART_TRUNCATED {
			return string(buffer[:length])
		}
		buffer = make([]byte, length+1)
	}
}

// Decider makes decisions, one at a time: a second call at the same time gets Busy. Use a Pool, or one per worker.
type Decider struct {
	busy    atomic.Bool
	request *C.request // nil = closed
	room    int        // bytes at request.strings
	starved bool       // no memory for the texts of this request
}

// NewDecider makes a decider, which sets aside all memory that its decisions need.
func (e *Engine) NewDecider() (*Decider, error) {
	e.mutex.RLock()
	defer e.mutex.RUnlock()
	problem := C.aftercart_error{struct_size: C.sizeof_aftercart_error}
	decider := &Decider{request: (*C.request)(C.calloc(1, C.sizeof_request))}
	if C.aftercart_decider_new(e.c, &decider.request.decider, &problem) != C.AFTERCART_OK {
		C.free(unsafe.Pointer(decider.request))
		return nil, openErrorOf(&problem)
	}
	if e.log.start(decider.request.decider, &problem) < 0 {
		decider.Close()
		return nil, openError(&problem)
	}
	decider.request.transaction.struct_size = C.sizeof_aftercart_transaction
	decider.request.profile.struct_size = C.sizeof_aftercart_profile
	decider.request.summary.struct_size = C.sizeof_aftercart_summary
	runtime.SetFinalizer(decider, (*Decider).Close)
	return decider, nil
}

// Close gives the decider back. Busy, and it lives on, while a decision runs. Further calls do nothing.
func (d *Decider) Close() error {
	if !d.busy.CompareAndSwap(false, true) {
		return Busy
	}
	defer d.busy.Store(false)
	if d.request == nil {
		return nil
	}
	C.aftercart_decider_free(d.request.decider)
	C.free(unsafe.Pointer(d.request.strings))
	C.free(unsafe.Pointer(d.request))
	d.request = nil
	runtime.SetFinalizer(d, nil)
	return nil
}

// Decide decides what belongs on the page, and writes it into offers, whose former content is gone. customer may be nil. No
// offers is no error: then offers.Reason says why. After an error there are none either: show nothing, and go on.
//
// It makes no garbage; offers may be used again and again.
func (d *Decider) Decide(order *Transaction, customer *Profile, offers *Offers) error {
	offers.count, offers.Summary = 0, Summary{}
	if !d.busy.CompareAndSwap(false, true) {
		return Busy
	}
	defer d.busy.Store(false)
	if d.request == nil {
		return BadHandle
	}
	if err := d.pack(order, customer); err != nil {
		return err
	}
	if status := Status(C.decide(d.request)); status < 0 {
		return status
	}
	d.unpack(offers)
	return nil
}

// selftest runs into a defect on purpose. For the tests, which cannot call C themselves.
func (d *Decider) selftest() error {
	return Status(C.aftercart_selftest(d.request.decider, C.AFTERCART_SELFTEST_PANIC))
}

// closed says of a closed object what C cannot, since nothing is left of it.
func closed(status Status) Status {
	if status == NullPointer {
		return BadHandle
	}
	return status
}
