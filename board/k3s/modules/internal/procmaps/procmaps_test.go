package procmaps

import (
	"os"
	"reflect"
	"testing"
)

func TestReadOnly(t *testing.T) {
	const maps = `00400000-04f1b000 r-xp 00000000 fe:00 12345                              /usr/bin/k3s
04f1b000-0a000000 r--p 04b1b000 fe:00 12345                              /usr/bin/k3s
0a000000-0a100000 rw-p 09c00000 fe:00 12345                              /usr/bin/k3s
0a100000-0a200000 rw-p 00000000 00:00 0
c000000000-c001000000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 r--p 00000000 fe:00 7                          /usr/bin/k3s.other
7ffe00000000-7ffe00002000 r-xp 00000000 00:00 0                          [vdso]
nonsense r-xp 00000000 fe:00 12345                                       /usr/bin/k3s
5000-4000 r-xp 00000000 fe:00 12345                                      /usr/bin/k3s
`
	want := []Range{{0x400000, 0x4b1b000}, {0x4f1b000, 0x50e5000}}
	if got := ReadOnly(maps, "/usr/bin/k3s"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestThisProgram(t *testing.T) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if len(ReadOnly(string(maps), file)) == 0 {
		t.Errorf("%s is not in:\n%s", file, maps)
	}
}

func TestResident(t *testing.T) {
	const status = "Name:\tk3s\nVmRSS:\t  300000 kB\nRssAnon:\t  204800 kB\nRssFile:\t   76800 kB\nRssShmem:\t       0 kB\n"
	if got := Resident(status); got != (Memory{204800, 76800}) || got.String() != "200 MB and 75 MB of the program" {
		t.Errorf("%+v, %s", got, got)
	}
	if got := Resident("RssAnon:\tmuch\n"); got != (Memory{}) {
		t.Errorf("%+v", got)
	}
}
