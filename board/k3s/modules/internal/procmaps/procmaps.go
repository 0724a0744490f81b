// Package procmaps finds a program's own file in its address space, and says how much memory it has.
package procmaps

import (
	"fmt"
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

// Memory is what a process has in memory, in kB: its own pages, and those of files.
type Memory struct{ Own, File int }

func (m Memory) String() string {
	return fmt.Sprintf("%d MB and %d MB of the program", m.Own>>10, m.File>>10)
}

// Resident reads /proc/self/status.
func Resident(status string) (m Memory) {
	for _, line := range strings.Split(status, "\n") {
		key, value, _ := strings.Cut(line, ":")
		kilobytes, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch {
		case err != nil:
		case key == "RssAnon":
			m.Own = kilobytes
		case key == "RssFile":
			m.File = kilobytes
		}
	}
	return m
}
