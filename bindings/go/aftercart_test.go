package aftercart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const shop = conformance + "shop.aftercart"

func machine() *Transaction {
	return &Transaction{OrderID: "A-1", Lines: []Line{{ItemID: "espresso-machine"}, {ItemID: "beans-house"}}}
}

// Every struct that crosses has the layout of ffi/abi/layout.txt, as cgo read it from the header.
func TestLayouts(t *testing.T) {
	found := map[string]reflect.Type{
		"aftercart_options": reflect.TypeOf((*Options).pack).Out(0),
		"aftercart_error":   reflect.TypeOf(openError).In(0).Elem(),
		"aftercart_info":    reflect.TypeOf(unpackInfo).In(0).Elem(),

		"aftercart_live_state":  reflect.TypeOf(unpackState).In(0).Elem(),
		"aftercart_explanation": reflect.TypeOf(unpackExplanation).In(0).Elem(),
		"aftercart_lease":       reflect.TypeOf(Lease{}).Field(0).Type,
		"aftercart_question":    reflect.TypeOf(unpackQuestion).In(1).Elem(),
		"aftercart_claim":       reflect.TypeOf(unpackClaim).In(0).Elem(),
		"aftercart_ranked":      reflect.TypeOf(unpackRanked).In(0).Elem(),
		"aftercart_stored":      reflect.TypeOf((*StoredField).pack).In(1).Elem(),
		"aftercart_prefilled":   reflect.TypeOf((*Prefilled).unpack).In(1).Elem(),
		"aftercart_follow_up":   reflect.TypeOf((*FollowUp).unpack).In(1).Elem(),
		"aftercart_logged":      reflect.TypeOf(unpackLogged).In(0).Elem(),
		"aftercart_event":       reflect.TypeOf((*LogEvent).pack).Out(0),
	}
	block := reflect.TypeOf(Decider{}.request).Elem()
	for name, field := range map[string]string{"transaction": "transaction", "profile": "profile", "summary": "summary",
		"offer": "offers", "line": "lines", "fact": "facts"} {
		in, _ := block.FieldByName(field)
		of := in.Type
		if of.Kind() == reflect.Array {
			of = of.Elem()
		}
		found["aftercart_"+name] = of
	}
	id, _ := found["aftercart_line"].FieldByName("item_id")
	found["aftercart_text"] = id.Type
	for _, line := range strings.Split(strings.TrimSpace(read(t, "../../ffi/abi/layout.txt")), "\n") {
		var one, two uintptr
		name, rest, _ := strings.Cut(line, " ")
		name, field, isField := strings.Cut(name, ".")
		if name == "aftercart_live_fact" || name == "aftercart_change" || name == "aftercart_option" || name == "aftercart_method_count" {
			continue // for logs that replay decisions, which are not bound; the others are filled in by the names of cgo
		}
		of, known := found[name]
		if !known {
			t.Fatalf("%s is not bound", name)
		}
		if !isField {
			fmt.Sscanf(rest, "size %d align %d", &one, &two)
			if of.Size() != one || uintptr(of.Align()) != two {
				t.Errorf("%s: size %d align %d", line, of.Size(), of.Align())
			}
			continue
		}
		fmt.Sscanf(rest, "%d %d", &one, &two)
		at, _ := of.FieldByName(field)
		if at.Type == nil || at.Offset != one || at.Type.Size() != two {
			t.Errorf("%s: %+v", line, at)
		}
	}
}

// Every number of the header has a name here, but for reasons, which have texts, and versions.
func TestNothingOfTheHeaderIsMissing(t *testing.T) {
	source := ""
	files, _ := os.ReadDir(".")
	for _, file := range files {
		if strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), ".h") {
			source += read(t, file.Name())
		}
	}
	internal := regexp.MustCompile(`_(REASON_\w+|VERSION_M\w+|VERSION_PATCH|H|OK|NO_OFFERS|ITEM_\w+|TEXT_ID|RESIDENTS_MAX|REASONS_MAX|LIVE_(PAUSED|EMPTY|THROTTLE_SHIFT))$`)
	for _, match := range regexp.MustCompile(`(?m)^#define (AFTERCART_\w+)`).FindAllStringSubmatch(read(t, "../../include/aftercart.h"), -1) {
		if !internal.MatchString(match[1]) && !regexp.MustCompile(`\b`+match[1]+`\b`).MatchString(source) {
			t.Errorf("%s", match[1])
		}
	}
}

func TestOpeningFails(t *testing.T) {
	_, err := Open("no such file", nil)
	if !errors.Is(err, SystemError) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	var problem *OpenError
	_, err = Open("aftercart.go", nil)
	if !errors.As(err, &problem) || problem.Status != BadCatalog || problem.Rule == 0 || problem.Part == "" {
		t.Errorf("%+v", err)
	}
	_, err = Open(shop, &Options{Mode: 9})
	if !errors.Is(err, BadValue) {
		t.Error(err)
	}
}

func TestClosedAndBroken(t *testing.T) {
	engine, err := Open(shop, &Options{Mode: Copy, Verify: VerifyStructure, Prefault: PrefaultNone, VisitBudget: 50})
	if err != nil {
		t.Fatal(err)
	}
	info, err := engine.Info()
	if err != nil || info.Products != 19 || info.Offers != 7 || info.Kernel == "" || info.CreatedAt.Year() != 2026 {
		t.Errorf("%+v %v", info, err)
	}
	decider, _ := engine.NewDecider()
	broken, _ := engine.NewDecider()
	engine.Close()
	engine.Close()
	if _, err := engine.Info(); err != BadHandle {
		t.Error(err)
	}
	if _, err := engine.NewDecider(); !errors.Is(err, BadHandle) {
		t.Error(err)
	}
	var offers Offers
	if err := decider.Decide(machine(), nil, &offers); err != nil || len(offers.Slate()) == 0 {
		t.Error("a decider keeps what it needs", err)
	}
	if err := broken.selftest(); err != Internal {
		t.Error(err)
	}
	if err := broken.Decide(machine(), nil, &offers); !errors.Is(err, Poisoned) || len(offers.Slate()) != 0 {
		t.Error(err)
	}
	broken.Close()
	decider.Close()
	decider.Close()
	if err := decider.Decide(machine(), nil, &offers); err != BadHandle {
		t.Error(err)
	}
}

func TestBytesThatAreNoText(t *testing.T) {
	_, decider := open(t, shop)
	var offers Offers
	order := machine()
	order.Lines[1].Category = "\xff"
	if err := decider.Decide(order, nil, &offers); err != BadUTF8 {
		t.Error(err)
	}
	if err := decider.Decide(nil, nil, &offers); err != NullPointer {
		t.Error(err)
	}
	order.Lines[1].Category = strings.Repeat("x", 1<<20)
	if err := decider.Decide(order, nil, &offers); err != nil {
		t.Error(err)
	}
	if err := decider.Decide(&Transaction{Stage: 99}, nil, &offers); err != BadValue {
		t.Error(err)
	}
}

// Many goroutines on one decider: one at a time gets an answer, the others Busy. On a pool all get the same answer.
func TestGoroutines(t *testing.T) {
	engine, decider := open(t, shop)
	pool, err := NewPool(engine, 0)
	if err != nil {
		t.Fatal(err)
	}
	var expected Offers
	if err := decider.Decide(machine(), nil, &expected); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for g := 0; g < 8; g++ {
		group.Add(1)
		go func() {
			defer group.Done()
			var offers Offers
			for i := 0; i < 500; i++ {
				if err := decider.Decide(machine(), nil, &offers); err != nil && err != Busy {
					t.Error(err)
				}
				if err := pool.Decide(machine(), nil, &offers); err != nil || offers != expected {
					t.Error(err, "another answer")
				}
			}
		}()
	}
	group.Wait()
	var offers Offers
	broken := <-pool.free
	broken.selftest()
	pool.free <- broken
	failures := 0
	for i := 0; i < 10; i++ {
		if pool.Decide(machine(), nil, &offers) != nil {
			failures++
		}
	}
	if failures != 1 {
		t.Errorf("%d failures: the pool replaces a broken decider", failures)
	}
	pool.Close()
	pool.Close()
	if err := pool.Decide(machine(), nil, &offers); err != BadHandle {
		t.Error(err)
	}
}

// What nobody closes, the garbage collector does.
func TestTheNet(t *testing.T) {
	for i := 0; i < 50; i++ {
		engine, _ := Open(shop, nil)
		decider, _ := engine.NewDecider()
		var offers Offers
		engine = nil
		runtime.GC()
		if err := decider.Decide(machine(), nil, &offers); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
}

func TestNoGarbage(t *testing.T) {
	_, decider := open(t, shop)
	order, offers, id := machine(), new(Offers), make([]byte, 0, 64)
	customer := &Profile{Purchases: []Event{{ID: "pods"}}, Answers: []SurveyAnswer{{"for-whom", "gift"}}}
	count := testing.AllocsPerRun(1000, func() {
		if err := decider.Decide(order, customer, offers); err != nil {
			t.Fatal(err)
		}
		for i := range offers.Slate() {
			id = offers.Slate()[i].AppendID(id[:0])
		}
	})
	if count != 0 {
		t.Errorf("%v allocations a decision", count)
	}
}

func BenchmarkDecide(b *testing.B) {
	_, decider := open(b, shop)
	order, offers := machine(), new(Offers)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if err := decider.Decide(order, nil, offers); err != nil {
			b.Fatal(err)
		}
	}
}

func ExamplePool_Decide() {
	engine, err := Open("../../tests/conformance/shop.aftercart", nil)
	if err != nil {
		panic(err)
	}
	defer engine.Close()
	pool, err := NewPool(engine, 0)
	if err != nil {
		panic(err)
	}
	defer pool.Close()

	order := Transaction{OrderID: "A-1", Lines: []Line{{ItemID: "espresso-machine", UnitPrice: Some(24900)}}}
	var offers Offers
	if err := pool.Decide(&order, nil, &offers); err != nil {
		panic(err) // on a page: show nothing, and go on
	}
	for i := range offers.Slate() {
		offer := &offers.Slate()[i]
		fmt.Println(offer.ID(), "-", engine.Title(offer))
	}
	// Output:
	// grinder - Grinder
	// beans-house - House beans
	// descaler - Descaler
	// milk-jug - Milk jug
}
