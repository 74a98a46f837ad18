// A confirmation page that decides within the request.
//
//	go run . shop.aftercart &
//	curl 'localhost:8080/confirmation?order=A-1&item=SKU&item=SKU'
//
// with &card=kept where it was paid by a card that you may charge again.
package main

import (
	"html/template"
	"log"
	"net/http"
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
  <li><a href="/product/{{.ID}}">{{.Title}}</a>{{.How}}</li>{{end}}
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
}

func open(catalog string) (*shop, error) {
	engine, err := aftercart.Open(catalog, nil)
	if err != nil {
		return nil, err
	}
	pool, err := aftercart.NewPool(engine, 0)
	return &shop{engine, pool}, err
}

// In a shop the order comes from your database; the rest is what you would write.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	if err := s.pool.Decide(&order, nil, &offers); err != nil {
		log.Print(err) // a receipt needs no offers
	}
	var links []link
	for i := range offers.Slate() {
		offer := &offers.Slate()[i]
		links = append(links, link{offer.ID(), s.engine.Title(offer), how[offer.Accept]})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	data := struct {
		Order  string
		Items  []string
		Offers []link
	}{order.OrderID, query["item"], links}
	if err := page.Execute(w, data); err != nil {
		log.Print(err)
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatalf("usage: %s CATALOG", os.Args[0])
	}
	shop, err := open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/confirmation", shop)
	log.Fatal(http.ListenAndServe("localhost:8080", nil))
}
