package aftercart

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is kept of the conformance requests, to the byte; bindings/test then drains it.
func TestLog(t *testing.T) {
	folder := filepath.Join(os.Getenv("AFTERCART_TEST_LOG"), "go")
	if folder == "go" {
		folder = t.TempDir()
	}
	os.RemoveAll(folder) // of the run before, without the race detector
	engine, plain := open(t, shop)
	engine.Log(LogTo{Folder: folder, Capacity: 128})
	decider, err := engine.NewDecider()
	if err != nil {
		t.Fatal(err)
	}
	defer decider.Close()
	var offers Offers
	made := uint64(0)
	for _, r := range requests(t) {
		if decider.Decide(&r.order, &r.customer, &offers) == nil {
			made++
		}
	}
	if counts, err := decider.Logged(); err != nil || counts != (Logged{Logs: true, Made: made, Logged: made}) {
		t.Error(counts, err)
	}
	rings, _ := filepath.Glob(filepath.Join(folder, "rings", "*.ring"))
	if len(rings) != 1 {
		t.Fatal(rings)
	}
	if sum := fmt.Sprintf("%x\n", sha256.Sum256([]byte(read(t, rings[0])))); sum != read(t, conformance+"records.sha256") {
		t.Error("another ring than Rust leaves")
	}
	for twice := 0; twice < 2; twice++ {
		for kind := EventActivated; kind <= EventOrdered; kind++ {
			event := LogEvent{Kind: kind, ID: fmt.Sprintf("go-%d", kind), DecisionID: offers.DecisionID, Value: Some(1299)}
			if err := event.Append(folder); err != nil {
				t.Fatal(err)
			}
		}
	}
	wrong := LogEvent{Kind: EventConverted, ID: "go"}
	if err := wrong.Append(folder); !errors.Is(err, BadValue) || !strings.Contains(err.Error(), "value") {
		t.Error(err)
	}
	if err := (&LogEvent{Kind: EventActivated, ID: "go"}).Append("/proc/none"); !errors.Is(err, SystemError) {
		t.Error(err)
	}
	if counts, err := plain.Logged(); err != nil || counts != (Logged{}) {
		t.Error("made before: it does not log", counts, err)
	}
}

func TestFullRingDrops(t *testing.T) {
	engine, _ := open(t, shop)
	engine.Log(LogTo{Folder: t.TempDir(), Capacity: 8, Timed: true})
	decider, err := engine.NewDecider()
	if err != nil {
		t.Fatal(err)
	}
	defer decider.Close()
	var offers Offers
	count := testing.AllocsPerRun(19, func() {
		if err := decider.Decide(machine(), nil, &offers); err != nil {
			t.Fatal(err)
		}
	})
	if counts, _ := decider.Logged(); counts.Made != 20 || counts.Logged != 8 || counts.Dropped != 12 {
		t.Error(counts)
	}
	if count > 3 { // those of machine
		t.Errorf("%v allocations a decision", count)
	}
	engine.Log(LogTo{Folder: "/proc/none"})
	if _, err := engine.NewDecider(); !errors.Is(err, SystemError) {
		t.Error(err)
	}
	if _, err := engine.Programmes(shop + "/none"); !errors.Is(err, SystemError) {
		t.Error(err)
	}
	if _, err := engine.Programmes("go.mod"); !errors.Is(err, BadProgrammes) || !strings.Contains(err.Error(), "go.mod") {
		t.Error(err)
	}
}
