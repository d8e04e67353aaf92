package termination

import (
	"context"
	"time"
)

// longestPause bounds the growing pause between two checks of one session.
const longestPause = 30 * time.Second

// wait returns nil after d, or the context's error as soon as it ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pace gives the pauses between the checks of one session. The first is as configured;
// each further one is half as long again, up to longestPause, so that an end is read
// soon and a session that stays live costs few requests. A longer first pause does not
// grow.
type pace struct {
	first time.Duration
	last  time.Duration
}

// next gives the pause before the next check.
func (p *pace) next() time.Duration {
	switch {
	case p.last == 0:
		p.last = p.first
	case p.last < longestPause:
		p.last = min(p.last+(p.last+1)/2, longestPause)
	}
	return p.last
}
