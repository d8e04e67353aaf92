package termination

import (
	"context"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// withCensus is a collector that gives the rows of one list to another collector and to
// a census.
type withCensus struct {
	collector
	census *census
}

func (c withCensus) restart() {
	c.collector.restart()
	c.census.restart()
}

func (c withCensus) take(s session.Session) {
	c.collector.take(s)
	c.census.take(&s)
}

// askCovered asks a question and gives what the same read shows of the values of a
// selector. The coverage is nil if the read failed.
func askCovered(ask func(*asker) error, of collector, selector *session.Selector) (*Coverage, error) {
	match, exclude := selector.Criteria()
	c := newCensus()
	c.ask(match, exclude)
	if err := ask(&asker{collector: withCensus{of, c}, all: true}); err != nil {
		return nil, err
	}
	coverage := c.complete().coverage(match, exclude)
	return &coverage, nil
}

// checkCoverage fails if the list shows that match or exclude is likely wrong.
func (d *drain) checkCoverage() error {
	if d.coverage.Fails(d.OnUnseen) {
		return &DrainError{Kind: NotCovered, Coverage: d.coverage}
	}
	return nil
}

// Coverage gives what the first complete list of the process shows of the values of a
// selector. Of session IDs it shows only a record ID of a live session given in place
// of its session ID. Like Preview it sends no request if the process has read the list
// before. The error is that of the read.
func (t *Terminator) Coverage(ctx context.Context, selector *session.Selector) (Coverage, error) {
	shot, err := t.reads.snapshot(ctx)
	if err != nil {
		return Coverage{}, err
	}
	return shot.seenValues.coverage(selector.Criteria()), nil
}
