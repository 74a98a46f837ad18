// A confirmation page that decides within the request.
//
//	go run . shop.aftercart &
//	curl 'localhost:8080/confirmation?order=A-1&item=SKU&item=SKU'
//
// with &card=kept where it was paid by a card that you may charge again. Where AFTERCART_LOG names a folder, it keeps
// there what it decided, that the page was sent, and which offers were accepted, while beside it runs
//
//	aftercart log --log FOLDER --catalog shop.aftercart --every 5
package main

import (
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"aftercart"
)

var page = template.Must(template.New("page").Parse(`<!doctype html>
<meta charset="utf-8">
<title>Thank you</title>
<h1>Thank you for order {{.Order}}</h1>
<ul>{{range .Items}}
  <li>{{.}}</li>{{end}}
</ul>{{with .Offers}}
<h2>Goes well with it</h2>
<ul>{{range .}}
  <li><a href="/accept?decision={{$.Decision}}&amp;item={{.ID}}">{{.Title}}</a>{{.How}}</li>{{end}}
</ul>{{end}}
`))

type link struct{ ID, Title, How string }

// How an offer may be accepted is decided for you; how that looks is yours. Without a word it is the product's own page.
var how = map[aftercart.Accept]string{
	aftercart.AcceptOneClickStoredCredential: ", added with one click, paid as this order",
	aftercart.AcceptConfirmConsent:           ", added after you agree to its terms",
	aftercart.AcceptRedirect:                 ", at our partner",
	aftercart.AcceptLeadOptIn:                ", join here",
}

// shop is what the page needs: opened once, used by all requests.
type shop struct {
	engine *aftercart.Engine
	pool   *aftercart.Pool
	log    string // its folder; empty = none is kept
}

func open(catalog, log string) (*shop, error) {
	engine, err := aftercart.Open(catalog, nil)
	if err != nil {
		return nil, err
	}
	engine.Log(aftercart.LogTo{Folder: log}) // before its deciders are made
	pool, err := aftercart.NewPool(engine, 0)
	return &shop{engine, pool, log}, err
}

func (s *shop) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("/confirmation", s.confirmation)
	routes.HandleFunc("/accept", s.accept)
	return routes
}

// In a shop the order comes from your database; the rest is what you would write.
func (s *shop) confirmation(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	order := aftercart.Transaction{OrderID: query.Get("order"), CreatedAt: time.Now()}
	if card := query.Get("card"); card != "" {
		order.Payment = aftercart.PaymentCard
		if card == "kept" {
			order.Rechargeable = aftercart.Yes
		}
	}
	for _, item := range query["item"] {
		order.Lines = append(order.Lines, aftercart.Line{ItemID: item})
	}
	var offers aftercart.Offers
	failed := s.pool.Decide(&order, nil, &offers)
	if failed != nil {
		log.Print(failed) // a receipt needs no offers
	}
	var links []link
	for i := range offers.Slate() {
		offer := &offers.Slate()[i]
		links = append(links, link{offer.ID(), s.engine.Title(offer), how[offer.Accept]})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	data := struct {
		Order    string
		Items    []string
		Offers   []link
		Decision aftercart.DecisionID
	}{order.OrderID, query["item"], links, offers.DecisionID}
	if err := page.Execute(w, data); err != nil {
		log.Print(err)
	} else if failed == nil { // it was sent; where a script tells you that it was seen, say so then
		s.note(aftercart.EventActivated, offers.DecisionID, "")
	}
}

// accept is what a link of an offer leads to. In a shop, what was offered is in the session: anybody can write an address.
func (s *shop) accept(w http.ResponseWriter, r *http.Request) {
	item := r.URL.Query().Get("item")
	if decision, err := aftercart.ParseDecisionID(r.URL.Query().Get("decision")); err == nil && item != "" {
		s.note(aftercart.EventAccepted, decision, item)
	}
	http.Redirect(w, r, "/product/"+url.PathEscape(item), http.StatusSeeOther)
}

// note says what came of a decision. By its id it counts once, however often a page or a link is loaded.
func (s *shop) note(kind aftercart.EventKind, decision aftercart.DecisionID, item string) {
	if s.log == "" {
		return
	}
	event := aftercart.LogEvent{Kind: kind, ID: fmt.Sprint(kind, decision, item), DecisionID: decision, At: time.Now(), ItemID: item}
	if err := event.Append(s.log); err != nil {
		log.Print(err)
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatalf("usage: %s CATALOG", os.Args[0])
	}
	shop, err := open(os.Args[1], os.Getenv("AFTERCART_LOG"))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8080", shop.routes()))
}
