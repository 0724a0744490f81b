// Package renewal says when a server that has run for months ends in order to be started again: certificates are
// renewed at its start, and only then do all its parts read them.
package renewal

import "time"

const (
	day = 24 * time.Hour
	// Before is how long before its end a certificate makes the server start again. A start renews it from 120 days
	// before its end on, so that for a week any other start does as well.
	Before = 113 * day
	// Between is the least from one start to the next for this reason. A renewal that fails is tried again no sooner,
	// and meanwhile the old certificate serves.
	Between = day
	// Hour is when it happens, by the host's clock: nobody deploys at night, and pods go on running anyway.
	Hour = 3
)

// Due says whether the server should end now. end is the first one of its certificates' or zero, up how long it runs.
func Due(end, now time.Time, up time.Duration) bool {
	return !end.IsZero() && end.Sub(now) <= Before && up >= Between && now.Hour() == Hour
}
