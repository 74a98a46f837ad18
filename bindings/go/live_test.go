package aftercart

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// overlay makes an overlay for the shop, and an engine that decides with it.
func overlay(t testing.TB) (*Engine, *Decider) {
	t.Helper()
	plain, decider := open(t, shop)
	path := filepath.Join(t.TempDir(), "shop.live")
	if err := plain.BindLive(path); err != nil {
		t.Fatal(err)
	}
	engine, err := plain.WithLive(path)
	if err == nil {
		err = decider.Use(engine)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine, decider
}

// What live.txt asks for, one after the other, on one overlay.
func TestLiveConformance(t *testing.T) {
	engine, decider := overlay(t)
	steps := steps{t, engine, decider, new(Offers), map[string]*Lease{}}
	told := ""
	for _, r := range requestsOf(t, conformance+"live.txt") {
		told += "case\t" + r.name + "\n"
		for _, step := range r.steps {
			told += steps.take(r, step)
		}
		told += "\n"
	}
	compare(t, "live-answers.txt", told)
}

type steps struct {
	t       *testing.T
	engine  *Engine
	decider *Decider
	offers  *Offers
	leases  map[string]*Lease
}

func outcome(word string, err error) string {
	var problem *OpenError
	var status Status
	if errors.As(err, &problem) {
		status = problem.Status
	} else if !errors.As(err, &status) {
		return word + "\tOK\n"
	}
	return word + "\t" + strings.TrimPrefix(status.Error(), "aftercart: ") + "\n"
}

func (s *steps) take(r *request, f []string) string {
	switch f[0] {
	case "decide":
		err := s.decider.Decide(&r.order, &r.customer, s.offers)
		return answer(s.engine, s.offers, err)
	case "set":
		change := Change{Kind: ItemKind(number(f[1])), ID: f[2]}
		set(&change, f[3], f[4])
		_, err := s.engine.Edit(at(f[5]), change)
		return outcome("set", err)
	case "look":
		state, err := s.engine.Look(ItemKind(number(f[1])), f[2], at(f[3]))
		if err != nil {
			return outcome("look", err)
		}
		return look(&state)
	case "reserve":
		for i := range s.offers.Slate() {
			if offer := &s.offers.Slate()[i]; offer.ID() == f[2] {
				lease, err := s.engine.Reserve(offer, at(f[3]), time.Duration(number(f[4]))*time.Millisecond)
				s.leases[f[1]] = &lease
				return outcome("reserve", err)
			}
		}
		s.t.Fatalf("%s is not on the page", f[2])
	case "activate":
		return outcome("activate", s.engine.Activate(s.leases[f[1]], at(f[2])))
	case "release":
		return outcome("release", s.engine.Release(s.leases[f[1]], at(f[2])))
	}
	e, err := s.decider.Explain(&r.order, &r.customer, ItemAny, f[1])
	if err != nil {
		return outcome("explain", err)
	}
	reasons := make([]string, len(e.Reasons))
	for i, reason := range e.Reasons {
		reasons[i] = fmt.Sprint(uint32(reason))
	}
	text := fmt.Sprintf("explain\tOK\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", e.Position, e.Relation, e.Line, e.Relevance,
		e.AcceptPPM, e.EVMicros, strings.Join(reasons, ","))
	for _, rule := range e.Rules {
		text += "rule\t" + rule + "\n"
	}
	for _, feature := range e.Features {
		text += fmt.Sprintf("feature\t%s\t%d\t%d\n", feature.Name, feature.Value, feature.Weight)
	}
	return text
}

func set(change *Change, field, value string) {
	answer := Yes
	if value != "1" {
		answer = No
	}
	forget := map[string]Field{"stock": FieldStock, "price": FieldPrice, "bid": FieldBid, "daily": FieldDaily,
		"total": FieldTotal, "pacing": FieldPacing}
	if value == "" {
		change.Forget = forget[field]
		return
	}
	switch field {
	case "stock":
		change.Stock = option(value)
	case "price":
		price, stated, _ := strings.Cut(value, " ")
		change.Price, change.PricedAt = option(price), at(stated)
	case "bid":
		change.Bid = option(value)
	case "daily":
		change.Daily = option(value)
	case "total":
		change.Total = option(value)
	case "pacing":
		change.Pacing = value
	case "utc_offset":
		change.UTCOffset = option(value)
	case "paused":
		change.Paused = answer
	case "killed":
		change.Killed = answer
	case "money":
		change.Money = answer
	}
}

func look(s *LiveState) string {
	or := func(o Option) int64 {
		if n, known := o.Get(); known {
			return n
		}
		return -1
	}
	return fmt.Sprintf("look\tOK\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", s.Kind, bit(s.Paused),
		bit(s.Killed), or(s.Stock), s.UTCOffset, bit(s.Money), bit(s.Paced), s.ThrottlePPM, s.Leases, or(s.Price),
		millis(s.PricedAt), or(s.Bid), or(s.Daily), or(s.Total), s.SpentToday, s.Spent, s.Held)
}

// A budget of 100 among goroutines that all want it: 100 get it, through leases that travel as bytes.
func TestBudget(t *testing.T) {
	engine, decider := overlay(t)
	now := time.UnixMilli(1793491200000)
	changes := []Change{{ID: "barista-course", Daily: Some(100)}, {ID: "nobody", Stock: Some(1)}, {ID: "club", Paused: Yes}}
	done, err := engine.Edit(now, changes...)
	if done != 1 || !errors.Is(err, UnknownID) || !strings.Contains(err.Error(), "nobody") {
		t.Fatal(done, err)
	}
	order, offers := machine(), new(Offers)
	order.CreatedAt = now
	if err := decider.Decide(order, nil, offers); err != nil || offers.Slate()[0].ID() != "barista-course" {
		t.Fatal(err, offers.Slate())
	}
	var group sync.WaitGroup
	var spent int64
	for g := 0; g < 8; g++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 50; i++ {
				lease, err := engine.Reserve(&offers.Slate()[0], now, time.Minute)
				if err == BudgetEmpty {
					continue
				}
				bytes, _ := lease.MarshalBinary()
				var kept Lease
				if kept.UnmarshalBinary(bytes) != nil || err != nil || !kept.ExpiresAt().Equal(now.Add(time.Minute)) {
					t.Error(err)
				}
				if i%5 == 0 {
					err = engine.Release(&kept, now)
				} else if err = engine.Activate(&kept, now); err == nil {
					atomic.AddInt64(&spent, 1)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	state, err := engine.Look(ItemOffer, "barista-course", now)
	if err != nil || state.SpentToday != 100 || spent != 100 || state.Held != 0 {
		t.Errorf("%d activated, %+v %v", spent, state, err)
	}
	if err := new(Lease).UnmarshalBinary(make([]byte, 48)); err != BadSize {
		t.Error(err)
	}
	engine.Close()
	if _, err := engine.Edit(now, changes...); !errors.Is(err, BadHandle) {
		t.Error(err)
	}
	if err := decider.Use(engine); err != BadHandle {
		t.Error(err)
	}
}
