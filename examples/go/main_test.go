package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestThePageHasOffers(t *testing.T) {
	shop, err := open("../../tests/conformance/shop.aftercart")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(shop)
	defer server.Close()
	get := func(query string) string {
		response, err := http.Get(server.URL + "/confirmation" + query)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 200 {
			t.Error(response.Status)
		}
		return string(body)
	}
	var group sync.WaitGroup
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			page := get("?order=A-1&item=espresso-machine&item=beans-house")
			if !strings.Contains(page, "Thank you for order A-1") || !strings.Contains(page, `<a href="/product/grinder">Grinder</a>`) {
				t.Error(page)
			}
		}()
	}
	group.Wait()
	const one = "<a href=\"/product/grinder\">Grinder</a>, added with one click"
	if page := get("?item=espresso-machine&card=kept"); !strings.Contains(page, one) {
		t.Error(page)
	}
	if page := get("?item=espresso-machine&card=once"); strings.Contains(page, "one click") {
		t.Error("nobody said that the card may be charged again:", page)
	}
	page := get("?order=%3Cb%3E&" + strings.Repeat("item=x&", 600))
	if !strings.Contains(page, "&lt;b&gt;") || strings.Contains(page, "/product/") {
		t.Error("an order that is too long gets a page without offers:", page)
	}
}
