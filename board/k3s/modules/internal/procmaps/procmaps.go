// Package procmaps finds a program's own file in its address space.
package procmaps

import (
	"strconv"
	"strings"
)

// Range is a piece of the address space.
type Range struct{ Start, Length uintptr }

// ReadOnly gives the pieces of /proc/self/maps that are the file, mapped to be read or executed only: they can be
// dropped at any time, and come back from the file when they are touched.
func ReadOnly(maps, file string) []Range {
	var ranges []Range
	for _, line := range strings.Split(maps, "\n") {
		words := strings.Fields(line)
		if len(words) != 6 || words[5] != file || (words[1] != "r-xp" && words[1] != "r--p") {
			continue
		}
		from, to, _ := strings.Cut(words[0], "-")
		start, badStart := strconv.ParseUint(from, 16, 64)
		end, badEnd := strconv.ParseUint(to, 16, 64)
		if badStart == nil && badEnd == nil && end > start {
			ranges = append(ranges, Range{uintptr(start), uintptr(end - start)})
		}
	}
	return ranges
}
