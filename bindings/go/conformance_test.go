package aftercart

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The files that every language answers: tests/conformance of the repository.
const conformance = "../../tests/conformance/"

func read(t testing.TB, path string) string {
	t.Helper()
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}

func open(t testing.TB, path string) (*Engine, *Decider) {
	t.Helper()
	engine, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	decider, err := engine.NewDecider()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { decider.Close(); engine.Close() })
	return engine, decider
}

type request struct {
	name     string
	order    Transaction
	customer Profile
	steps    [][]string // of live.txt and moments.txt
	uses     []Use
	pay      []PaymentOption
	ship     []ShippingOption
	usual    []MethodCount
	stored   []StoredField
	contacts []time.Time
}

// requests reads the file, whose grammar is at its top.
func requests(t testing.TB) []*request { return requestsOf(t, conformance+"requests.txt") }

func requestsOf(t testing.TB, path string) []*request {
	var all []*request
	for _, line := range strings.Split(read(t, path), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		fields := append(strings.Split(line, "\t"), make([]string, 11)...)
		if fields[0] == "case" {
			all = append(all, &request{name: fields[1]})
		} else {
			all[len(all)-1].add(t, fields)
		}
	}
	return all
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func option(text string) Option {
	if text == "" {
		return Option{}
	}
	return Some(number(text))
}

func at(text string) time.Time {
	if text == "0" {
		return time.Time{}
	}
	return time.UnixMilli(number(text))
}

func hash(low, high string) (to [16]byte) {
	l, _ := strconv.ParseUint(low, 10, 64)
	h, _ := strconv.ParseUint(high, 10, 64)
	binary.LittleEndian.PutUint64(to[:8], l)
	binary.LittleEndian.PutUint64(to[8:], h)
	return to
}

func (r *request) add(t testing.TB, f []string) {
	o, c, n := &r.order, &r.customer, number(f[1])
	switch f[0] {
	case "order_id":
		o.OrderID = f[1]
	case "created_at_ms":
		o.CreatedAt = at(f[1])
	case "value":
		o.Value = option(f[1])
	case "currency":
		o.Currency = f[1]
	case "country":
		o.Country = f[1]
	case "stage":
		o.Stage = Stage(n)
	case "slots":
		o.Slots = uint32(n)
	case "min_relevance":
		o.MinRelevance = option(f[1])
	case "payment":
		o.Payment = Payment(n)
	case "rechargeable":
		o.Rechargeable = Answer(n)
	case "placement":
		o.Placement = f[1]
	case "order_tag":
		o.Tags = append(o.Tags, f[1])
	case "loyalty_tier":
		c.LoyaltyTier = f[1]
	case "orders":
		c.Orders = Some(n)
	case "segment":
		c.Segments = append(c.Segments, f[1])
	case "is_gift":
		o.IsGift = true
	case "is_test":
		o.IsTest = true
	case "first_purchases":
		o.FirstPurchases = true
	case "line":
		o.Lines = append(o.Lines, Line{ItemID: f[1], Category: f[2], Brand: f[3], Quantity: uint32(number(f[4])),
			UnitPrice: option(f[5]), Role: Role(number(f[6])), Sensitive: Sensitive(number(f[7]))})
	case "lines":
		for i := int64(1); i <= n; i++ {
			o.Lines = append(o.Lines, Line{ItemID: fmt.Sprintf("%s-%d", f[2], i)})
		}
	case "customer":
		c.Customer = Customer(n)
	case "age_band":
		c.AgeBand = AgeBand(n)
	case "loyalty_member":
		c.LoyaltyMember = Answer(n)
	case "has_app":
		c.HasApp = Answer(n)
	case "opt_out_third_party":
		c.OptOutThirdParty = true
	case "unit_key":
		c.UnitKey = hash(f[1], f[2])
	case "session_key":
		c.SessionKey = hash(f[1], f[2])
	case "purchase":
		c.Purchases = append(c.Purchases, Event{f[1], at(f[2])})
	case "purchases":
		for i := int64(1); i <= n; i++ {
			c.Purchases = append(c.Purchases, Event{ID: fmt.Sprintf("%s-%d", f[2], i)})
		}
	case "decline":
		c.Declines = append(c.Declines, Event{f[1], at(f[2])})
	case "consent":
		said := []*Answer{&c.Consent.Preferences, &c.Consent.Analytics, &c.Consent.Marketing, &c.Consent.SaleOfData}
		*said[n] = Answer(number(f[2]))
	case "gpc":
		c.Consent.GPC = true
	case "shown", "engaged", "accepted":
		event := map[string]Exposure{"shown": Shown, "engaged": Engaged, "accepted": Accepted}[f[0]]
		c.Exposures = append(c.Exposures, Exposed{f[1], event, at(f[2])})
	case "decide", "set", "look", "reserve", "activate", "release", "explain", "model", "page", "ask", "sign", "verify", "rank_payment",
		"rank_shipping", "prefill", "follow_ups", "event":
		r.steps = append(r.steps, f)
	case "used", "failed":
		r.uses = append(r.uses, Use{f[1], at(f[2]), f[0] == "failed"})
	case "pay":
		r.pay = append(r.pay, PaymentOption{f[1], f[2] == "1"})
	case "ship":
		r.ship = append(r.ship, ShippingOption{f[1], number(f[2]), at(f[3])})
	case "usual":
		r.usual = append(r.usual, MethodCount{f[1], f[2], Device(number(f[3])), number(f[4]), uint32(number(f[5]))})
	case "stored":
		r.stored = append(r.stored, StoredField{uint8(n), uint16(number(f[2])), f[3], uint32(number(f[4])), at(f[5])})
	case "contacted":
		r.contacts = append(r.contacts, at(f[1]))
	case "asked":
		c.Asked = append(c.Asked, Event{f[1], at(f[2])})
	case "answer":
		c.Answers = append(c.Answers, SurveyAnswer{f[1], f[2]})
	case "opt_out_category":
		c.OptOutCategories = append(c.OptOutCategories, f[1])
	case "cart_removed":
		c.CartRemoved = append(c.CartRemoved, f[1])
	case "expect":
	default:
		t.Fatalf("%s: no such word", f[0])
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func answer(engine *Engine, offers *Offers, err error) string {
	var status Status
	if errors.As(err, &status) {
		return fmt.Sprintf("status\t%s\n", strings.TrimPrefix(status.Error(), "aftercart: "))
	}
	name := "OK"
	if len(offers.Slate()) == 0 {
		name = "NO_OFFERS"
	}
	text := fmt.Sprintf("status\t%s\t%d\t%s\t%016x\t%016x\t%d\t%d\t%d\t%d\t%d\t%d\n", name,
		uint32(offers.Reason), offers.DecisionID, offers.IndexGeneration, offers.PolicyGeneration, offers.Retrieved,
		offers.Eligible, offers.Rejected, offers.Centroids, offers.Cells, offers.Compared)
	for i := range offers.Slate() {
		o := &offers.Slate()[i]
		text += fmt.Sprintf("offer\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", o.ID(),
			o.itemKind, o.itemRow, o.Kind, o.Position, bit(o.ThirdParty), o.Relation, o.Line, o.Relevance, o.AcceptPPM,
			o.SelectPPM, o.Value, o.EVMicros, o.Price, o.Accept, engine.Title(o), engine.Category(o), engine.Partner(o))
	}
	return text
}

func TestConformance(t *testing.T) {
	engine, decider := open(t, conformance+"shop.aftercart")
	var offers Offers
	told := ""
	for _, r := range requests(t) {
		err := decider.Decide(&r.order, &r.customer, &offers)
		told += "case\t" + r.name + "\n" + answer(engine, &offers, err) + "\n"
	}
	compare(t, "offers.txt", told)
}

func compare(t *testing.T, record, told string) {
	expected := strings.Split(read(t, conformance+record), "\n")
	for i, line := range strings.Split(told, "\n") {
		if i >= len(expected) || line != expected[i] {
			t.Fatalf("line %d of %s: %q", i+1, record, line)
		}
	}
	if len(told) != len(strings.Join(expected, "\n")) {
		t.Fatal("fewer answers than requests")
	}
}
