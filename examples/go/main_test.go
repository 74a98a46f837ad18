package main

import (
	"encoding/binary"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestThePageHasOffers(t *testing.T) {
	folder := filepath.Join(os.Getenv("AFTERCART_TEST_LOG"), "go-page") // bindings/test then drains it
	if folder == "go-page" {
		folder = t.TempDir()
	}
	os.RemoveAll(folder) // of the run before, without the race detector
	shop, err := open("../../tests/conformance/shop.aftercart", folder)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(shop.routes())
	defer server.Close()
	get := func(query string) string {
		response, err := http.Get(server.URL + query)
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
		order := fmt.Sprint("A-", i)
		group.Add(1)
		go func() {
			defer group.Done()
			page := get("/confirmation?item=espresso-machine&item=beans-house&order=" + order)
			if !strings.Contains(page, "Thank you for order "+order) || !strings.Contains(page, "item=grinder\">Grinder</a>") {
				t.Error(page)
			}
		}()
	}
	group.Wait()
	page := get("/confirmation?order=B-1&item=espresso-machine&card=kept")
	link := regexp.MustCompile(`<a href="(/accept\?decision=[0-9a-f]{32}&amp;item=grinder)">Grinder</a>, added with one click`).FindStringSubmatch(page)
	if link == nil {
		t.Fatal(page)
	}
	if page := get("/confirmation?order=B-2&item=espresso-machine&card=once"); strings.Contains(page, "one click") {
		t.Error("nobody said that the card may be charged again:", page)
	}
	page = get("/confirmation?order=%3Cb%3E&" + strings.Repeat("item=x&", 600))
	if !strings.Contains(page, "&lt;b&gt;") || strings.Contains(page, "/accept") {
		t.Error("an order that is too long gets a page without offers:", page)
	}

	http.DefaultClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for twice := 0; twice < 2; twice++ {
		response, err := http.Get(server.URL + html.UnescapeString(link[1]))
		if err != nil || response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/product/grinder" {
			t.Fatal(response, err)
		}
	}
	kept := uint64(0) // by the deciders of the pool, in a ring each
	rings, _ := filepath.Glob(filepath.Join(folder, "rings", "*.ring"))
	for _, ring := range rings {
		bytes, err := os.ReadFile(ring)
		if err != nil {
			t.Fatal(err)
		}
		kept += binary.LittleEndian.Uint64(bytes[24:])
	}
	events, err := os.ReadFile(filepath.Join(folder, "incoming", "events.jsonl"))
	seen, accepted := strings.Count(string(events), `"activated"`), strings.Count(string(events), `"accepted"`)
	if err != nil || kept != 52 || seen != 52 || accepted != 2 {
		t.Error("of 52 decisions are kept", kept, seen, accepted, err)
	}
}
