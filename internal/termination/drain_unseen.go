package termination

import (
	"context"

	"github.com/senhasegura/terraform-provider-senhasegura/internal/session"
)

// withCensus gives the rows of one list to a collector and to a census.
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

// askCovered asks and gives, from the same read, what it tells of a match and an
// exclude. The coverage is nil where the read failed.
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

// checkCoverage fails where the list tells that the drain looks at the wrong thing.
func (d *drain) checkCoverage() error {
	if d.coverage.Fails(d.OnUnseen) {
		return &DrainError{Kind: NotCovered, Coverage: d.coverage}
	}
	return nil
}

// Coverage gives what the first complete list of the process tells of a match and an
// exclude. Of session ids it tells only the row number of a live session, given in
// place of its id. Like Preview it makes no request of its own where the process has
// read the list before.
func (t *Terminator) Coverage(ctx context.Context, selector *session.Selector) (Coverage, error) {
	shot, err := t.reads.snapshot(ctx)
	if err != nil {
		return Coverage{}, err
	}
	return shot.seenValues.coverage(selector.Criteria()), nil
}
