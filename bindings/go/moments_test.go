package aftercart

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// What moments.txt asks for.
func TestMomentsConformance(t *testing.T) {
	engine, decider := open(t, shop)
	programmes, err := engine.Programmes(conformance + "programmes.toml")
	if err != nil {
		t.Fatal(err)
	}
	moments, told := moments{t: t, plain: engine, decider: decider, programmes: programmes}, ""
	for _, r := range requestsOf(t, conformance+"moments.txt") {
		told += "case\t" + r.name + "\n"
		moments.engine = engine
		if err := decider.Use(engine); err != nil {
			t.Fatal(err)
		}
		for _, step := range r.steps {
			told += moments.take(r, step)
		}
		told += "\n"
	}
	compare(t, "moments-answers.txt", told)
}

type moments struct {
	t             *testing.T
	plain, engine *Engine
	decider       *Decider
	token         string
	programmes    *Programmes
}

func (m *moments) take(r *request, f []string) string {
	switch f[0] {
	case "model":
		learnt, err := m.plain.WithModel(conformance+"model.bin", f[1] == "1")
		if err == nil {
			err = m.decider.Use(learnt)
			m.engine = learnt
		}
		return outcome("model", err)
	case "page":
		return m.page(r)
	case "ask":
		q, err := m.decider.NextQuestion(m.engine, &r.order, &r.customer)
		if err != nil || q == nil {
			return strings.Replace(outcome("question", err), "OK", "NO_QUESTION", 1)
		}
		text := fmt.Sprintf("question\tOK\t%s\t%s\t%d\t%d\n", q.ID, q.Text, q.GainMicros, q.Decisions)
		for _, answer := range q.Answers {
			text += "answer\t" + answer.Tag + "\t" + answer.Text + "\n"
		}
		return text
	}
	switch f[0] {
	case "rank_payment":
		facts := PaymentFacts{r.uses, r.usual, Device(number(f[1]))}
		return ranked(m.decider.RankPaymentMethods(&r.order, &r.customer, r.pay, facts))
	case "rank_shipping":
		return ranked(m.decider.RankShippingOptions(&r.order, &r.customer, r.ship, r.uses))
	case "follow_ups":
		plan, err := m.decider.PlanFollowUps(m.programmes, &r.order, &r.customer, Outlook{at(f[1]), r.contacts})
		text := outcome("follow_ups", err)
		for i := range plan {
			of := &plan[i]
			text += fmt.Sprintf("message\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%d\t%d\n", of.Programme, of.Template, of.ContentID,
				of.Kind, of.Channel, of.Withheld, of.At.UnixMilli(), of.ExpiresAt.UnixMilli(), of.Line, m.plain.TitleOf(of), of.DueDays,
				of.OwnIntervals)
		}
		return text
	case "event":
		id, _ := ParseDecisionID(fmt.Sprintf("%032s", f[3]))
		event := LogEvent{EventKind(number(f[1])), f[2], id, at(f[4]), f[5], option(f[6]), option(f[7]), option(f[8]), f[9], f[10], f[11]}
		json, err := event.JSON()
		if err != nil {
			return outcome("event", err)
		}
		return "event\tOK\t" + string(json) + "\n"
	case "prefill":
		filled, err := Prefill(&r.order, r.stored)
		text := outcome("prefilled", err)
		for _, of := range filled {
			text += fmt.Sprintf("field\t%d\t%d\t%d\t%d\n", of.Field, of.Slot, of.ConfidencePPM, of.Because)
		}
		return text
	}
	key, err := NewTokenKey([]byte(f[1]))
	if f[0] == "sign" {
		id, _ := ParseDecisionID(fmt.Sprintf("%032s", f[2]))
		claim := Claim{DecisionID: id, ItemID: f[3], Price: number(f[4]), Currency: f[5], Quantity: uint32(number(f[6])), ExpiresAt: at(f[7])}
		if err == nil {
			m.token, err = key.Sign(&claim)
		}
		if err != nil {
			return outcome("token", err)
		}
		return "token\tOK\t" + m.token + "\n"
	}
	token := f[2]
	if token == "" {
		token = m.token
	}
	c, err := key.Verify(token, f[3], at(f[4]), time.Duration(number(f[5]))*time.Millisecond)
	if err != nil {
		return outcome("claim", err)
	}
	return fmt.Sprintf("claim\tOK\t%s\t%s\t%d\t%s\t%d\t%d\t%s\n", c.DecisionID, c.ItemID, c.Price, c.Currency, c.Quantity,
		c.ExpiresAt.UnixMilli(), c.IdempotencyKey)
}

func ranked(ranking []Ranked, err error) string {
	text := outcome("ranked", err)
	for _, of := range ranking {
		text += fmt.Sprintf("option\t%d\t%d\n", of.Option, of.Because)
	}
	return text
}

func (m *moments) page(r *request) string {
	var offers Offers
	if err := m.decider.Decide(&r.order, &r.customer, &offers); err != nil {
		m.t.Fatal(err)
	}
	name := "OK"
	if len(offers.Slate()) == 0 {
		name = "NO_OFFERS"
	}
	text := fmt.Sprintf("page\t%s\t%s\t%d\n", name, offers.GroupID, offers.ModelGeneration)
	for i := range offers.Slate() {
		o := &offers.Slate()[i]
		text += fmt.Sprintf("accept\t%s\t%d\t%d\t%d\t%d\n", o.ID(), o.Accept, o.Acceptance, bit(o.MayConfirm), o.AcceptPPM)
	}
	return text
}

func TestKeysAndModels(t *testing.T) {
	engine, decider := open(t, shop)
	if info, err := engine.Info(); err != nil || info.Currency != "USD" {
		t.Error(info, err)
	}
	if _, err := NewTokenKey([]byte("too short")); !errors.Is(err, BadValue) || !strings.Contains(err.Error(), "32 bytes") {
		t.Error(err)
	}
	key, err := NewTokenKey(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range []Claim{{}, {ItemID: strings.Repeat("x", 100)}, {ItemID: "x", Currency: "DOLLARS", Quantity: 1}} {
		if _, err := key.Sign(&claim); err != BadValue {
			t.Error(err)
		}
	}
	if _, err := key.Verify("token", "DOLLARS", time.Now(), 0); err != BadValue {
		t.Error(err)
	}
	if _, err := ParseDecisionID("no id"); err != BadValue {
		t.Error(err)
	}
	if _, err := engine.WithModel("no such file", false); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := engine.WithModel(shop, false); !errors.Is(err, BadModel) {
		t.Error(err)
	}
	decider.Close()
	if _, err := decider.NextQuestion(engine, machine(), nil); err != BadHandle {
		t.Error(err)
	}
}
