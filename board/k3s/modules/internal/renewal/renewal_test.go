package renewal

import (
	"testing"
	"time"
)

// run is a server that looks every half hour for so many days, on a box where a renewal works or not. It gives the
// days of its starts.
func run(days int, term time.Duration, works bool) (starts []time.Duration) {
	const look = 30 * time.Minute
	began := time.Date(2026, 5, 1, 12, 10, 0, 0, time.UTC)
	started, end := began, began.Add(term)
	for now := began; now.Before(began.Add(time.Duration(days) * day)); now = now.Add(look) {
		if !Due(end, now, now.Sub(started)) {
			continue
		}
		started = now
		if works {
			end = now.Add(term)
		}
		starts = append(starts, now.Sub(began))
	}
	return starts
}

func TestYears(t *testing.T) {
	starts := run(5*365, 365*day, true)
	if len(starts) != 7 { // every 252 days
		t.Errorf("%d starts in five years: %v", len(starts), starts)
	}
	for i := range starts[1:] {
		if gap := starts[i+1] - starts[i]; gap < 250*day || gap > 260*day {
			t.Errorf("%s after the one before", gap)
		}
	}
}

func TestFailingRenewal(t *testing.T) {
	starts := run(365, 365*day, false)
	if len(starts) < 50 {
		t.Errorf("only %d tries", len(starts))
	}
	for i := range starts[1:] {
		if gap := starts[i+1] - starts[i]; gap < day {
			t.Errorf("again after %s", gap)
		}
	}
	if first := starts[0]; first < 252*day-12*time.Hour || first > 253*day {
		t.Errorf("first after %s", first)
	}
}

func TestDue(t *testing.T) {
	night := time.Date(2026, 5, 1, 3, 20, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		left time.Duration
		now  time.Time
		up   time.Duration
		want bool
	}{
		"in the window":   {Before - time.Hour, night, 30 * day, true},
		"expired":         {-day, night, 30 * day, true},
		"before it":       {Before + time.Hour, night, 30 * day, false},
		"by day":          {Before - time.Hour, night.Add(12 * time.Hour), 30 * day, false},
		"started today":   {Before - time.Hour, night, day - time.Minute, false},
		"renewed by hand": {365 * day, night, 30 * day, false},
	} {
		if got := Due(c.now.Add(c.left), c.now, c.up); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if Due(time.Time{}, night, 30*day) {
		t.Error("without a certificate that could be renewed")
	}
}
