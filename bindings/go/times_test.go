package aftercart

import (
	"flag"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"
)

var times = flag.String("times", conformance+"shop.aftercart,"+conformance+"requests.txt", "catalog and requests of TestTimes")

// TestTimes tells how many nanoseconds a decision of each request takes, for benches/bindings.rs, which compares.
func TestTimes(t *testing.T) {
	catalog, file, _ := strings.Cut(*times, ",")
	_, decider := open(t, catalog)
	offers := new(Offers)
	for _, r := range requestsOf(t, file) {
		if err := decider.Decide(&r.order, &r.customer, offers); err != nil {
			continue
		}
		batches := make([]int64, 100)
		for b := range batches {
			since := time.Now()
			for i := 0; i < 10; i++ {
				if err := decider.Decide(&r.order, &r.customer, offers); err != nil {
					t.Fatal(err)
				}
			}
			batches[b] = time.Since(since).Nanoseconds() / 10
		}
		sort.Slice(batches, func(i, j int) bool { return batches[i] < batches[j] })
		fmt.Println(batches[9])
	}
}
