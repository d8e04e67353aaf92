package termination

import "github.com/senhasegura/terraform-provider-senhasegura/internal/session"

// batchRows is how many rows are handed over at a time.
const batchRows = 512

// concurrentCensus is a census beside the reader of a list. One that keeps the values of
// every argument takes a tenth of the time that a row takes to be decoded.
//
//	a := newAsideCensus(c)
//	a.take(s)        // for every row
//	c := a.finish()  // also when the read has failed
//
// The methods are for one goroutine.
type concurrentCensus struct {
	batch []session.Session
	// full are batches to be taken, and free those that have been.
	full, free chan []session.Session
	done       chan *census
}

func newConcurrentCensus(c *census) *concurrentCensus {
	a := &concurrentCensus{
		batch: make([]session.Session, 0, batchRows),
		full:  make(chan []session.Session, 1), free: make(chan []session.Session, 2), done: make(chan *census),
	}
	a.free <- make([]session.Session, 0, batchRows)
	go func() {
		for batch := range a.full {
			for i := range batch {
				c.take(&batch[i])
			}
			a.free <- batch[:0]
		}
		a.done <- c
	}()
	return a
}

func (a *concurrentCensus) take(s session.Session) {
	if a.batch = append(a.batch, s); len(a.batch) == batchRows {
		a.full <- a.batch
		a.batch = <-a.free
	}
}

func (a *concurrentCensus) finish() *census {
	a.full <- a.batch
	close(a.full)
	return <-a.done
}
