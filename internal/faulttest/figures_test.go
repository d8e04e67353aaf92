package faulttest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// figures are the numbers that the tests came to, for the person who runs them.
var figures = figureTable{values: map[string]int64{}}

type figureTable struct {
	mu     sync.Mutex
	values map[string]int64
}

// publish adds to a figure; with -count a test adds more than once.
func publish(name string, value int64) {
	figures.mu.Lock()
	defer figures.mu.Unlock()
	figures.values[name] += value
}

func (f *figureTable) print(w io.Writer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		_, _ = fmt.Fprintf(w, "%-40s %d\n", name, f.values[name]) // no reader is left to report a failure to
	}
}
