package main

import (
	"context"
	"fmt"
	"math"
)

// maxDifference is how far the lengths of two states may be apart, as a share.
const maxDifference = 0.02

// pair is one apply of this provider and, right after it, one of the resource that
// does nothing.
type pair struct{ ours, noop result }

// besideNoop measures pairs, whose states must be equally long. Which of the two
// comes first changes from pair to pair.
func (b *bench) besideNoop(ctx context.Context, noop way, pairs, sessions int) ([]pair, error) {
	measured := make([]pair, pairs)
	for i := range measured {
		p := &measured[i]
		turns := []struct {
			way
			into *result
		}{{ours, &p.ours}, {noop, &p.noop}}
		if i%2 == 1 {
			turns[0], turns[1] = turns[1], turns[0]
		}
		for _, turn := range turns {
			var err error
			if *turn.into, err = b.apply(ctx, turn.way, works, sessions); err != nil {
				return nil, err
			}
			if turn.into.reported != sessions {
				return nil, fmt.Errorf("%s: %d of %d resources: %s", turn.name, turn.into.reported, sessions, turn.into.problem)
			}
		}
		if p.ours.live > 0 {
			return nil, fmt.Errorf("%d sessions are live", p.ours.live)
		}
		if difference := math.Abs(float64(p.ours.stateBytes)/float64(p.noop.stateBytes) - 1); difference > maxDifference {
			return nil, fmt.Errorf("a state of %d bytes is compared with one of %d", p.ours.stateBytes, p.noop.stateBytes)
		}
	}
	return measured, nil
}
