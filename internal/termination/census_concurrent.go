package termination

import "github.com/senhasegura/terraform-provider-senhasegura/internal/session"

// batchRows is how many rows are handed over at a time.
const batchRows = 512

// concurrentCensus takes the rows of a list in its own goroutine, while the caller
// decodes further rows. A census that keeps the values of every argument takes a tenth
// of the time that decoding takes.
//
//	a := newConcurrentCensus(c)
//	a.take(s)        // for every row
//	c := a.finish()  // also when the read has failed
//
// One goroutine must call the methods.
type concurrentCensus struct {
	batch []session.Session
	// full are batches to take, and free those that have been taken.
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
