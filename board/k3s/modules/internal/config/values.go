package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// value is one setting: it checks a text while it takes it, so that both doors (flag and file) report errors alike.
type value struct {
	kind  string
	set   func(string) error
	reset func() // forgets what a list holds; nil for all others
	now   string
}

func (v *value) Type() string   { return v.kind }
func (v *value) String() string { return v.now }

func (v *value) Set(s string) error {
	if err := v.set(s); err != nil {
		return err
	}
	v.now = s
	return nil
}

type check func(string) error

func text(to *string, initial string, ok check) *value {
	*to = initial
	return &value{kind: "string", now: initial, set: func(s string) error {
		if ok != nil {
			if err := ok(s); err != nil {
				return err
			}
		}
		*to = s
		return nil
	}}
}

// list collects words; separator splits one text into several, "" never does.
func list(to *[]string, ok check, separator string) *value {
	return &value{kind: "list", reset: func() { *to = nil }, set: func(s string) error {
		words := []string{s}
		if separator != "" {
			words = strings.Split(s, separator)
		}
		for _, word := range words {
			word = strings.TrimSpace(word)
			if word == "" {
				return errors.New("an empty word")
			}
			if ok != nil {
				if err := ok(word); err != nil {
					return err
				}
			}
			*to = append(*to, word)
		}
		return nil
	}}
}

func boolean(to *bool) *value {
	return &value{kind: "bool", now: "false", set: func(s string) (err error) {
		if s != "true" && s != "false" {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		*to = s == "true"
		return nil
	}}
}

func address(to *netip.Addr, initial string) *value {
	if initial != "" {
		*to = netip.MustParseAddr(initial)
	}
	return &value{kind: "address", now: initial, set: func(s string) error {
		a, err := netip.ParseAddr(s)
		if err != nil || !a.Is4() {
			return fmt.Errorf("%q is not one IPv4 address", s)
		}
		*to = a
		return nil
	}}
}

func network(to *netip.Prefix, initial string) *value {
	*to = netip.MustParsePrefix(initial)
	return &value{kind: "network", now: initial, set: func(s string) error {
		p, err := netip.ParsePrefix(s)
		if err != nil || !p.Addr().Is4() || p.Bits() < 8 || p.Bits() > 24 || p != p.Masked() {
			return fmt.Errorf("%q is not one IPv4 network of 8 to 24 bits", s)
		}
		*to = p
		return nil
	}}
}

func port(to *int, initial int) *value {
	*to = initial
	return &value{kind: "port", now: strconv.Itoa(initial), set: func(s string) error {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is not a port", s)
		}
		*to = int(n)
		return nil
	}}
}

func mode(to *fs.FileMode, initial fs.FileMode) *value {
	*to = initial
	return &value{kind: "mode", now: fmt.Sprintf("%04o", initial), set: func(s string) error {
		n, err := strconv.ParseUint(s, 8, 32)
		if err != nil || n > 0o777 {
			return fmt.Errorf("%q is not a mode of three octal digits", s)
		}
		*to = fs.FileMode(n)
		return nil
	}}
}

func refuse(why string) func(string) error {
	return func(string) error { return errors.New("this k3s has no such setting: " + why) }
}

func anything(string) error { return nil }

func mustBe(only, why string) func(string) error {
	return func(s string) error {
		if s != only {
			return fmt.Errorf("only %q can be had: %s", only, why)
		}
		return nil
	}
}

func oneOf(words ...string) check {
	return func(s string) error {
		for _, word := range words {
			if s == word {
				return nil
			}
		}
		return fmt.Errorf("%q is none of: %s", s, strings.Join(words, ", "))
	}
}

func checkFlannel(s string) error {
	if err := oneOf("host-gw", "none")(s); err != nil {
		return fmt.Errorf("%w (this is one node: other backends need k3s's release)", err)
	}
	return nil
}

func checkPath(s string) error {
	if !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%q is not an absolute path", s)
	}
	return nil
}

func checkSocket(s string) error {
	if path, is := strings.CutPrefix(s, "unix://"); !is || checkPath(path) != nil {
		return fmt.Errorf("%q is not unix:// and an absolute path", s)
	}
	return nil
}

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func checkNodeName(s string) error {
	if !label.MatchString(s) {
		return fmt.Errorf("%q: a node name has 1 to 63 lower-case letters, digits and dashes inside", s)
	}
	return nil
}

func checkDomain(s string) error {
	for _, part := range strings.Split(s, ".") {
		if !label.MatchString(part) {
			return fmt.Errorf("%q is not a domain name in lower case", s)
		}
	}
	return nil
}

func checkNameOrAddress(s string) error {
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	return checkDomain(s)
}

func checkPair(s string) error {
	if key, _, found := strings.Cut(s, "="); !found || key == "" {
		return fmt.Errorf("%q is not key=value", s)
	}
	return nil
}

func checkArg(s string) error {
	if key, _, _ := strings.Cut(s, "="); strings.TrimLeft(key, "-") == "" {
		return fmt.Errorf("%q is not key=value", s)
	}
	return nil
}

func checkPortRange(s string) error {
	low, high, found := strings.Cut(s, "-")
	var a, b int
	if !found || port(&a, 1).Set(low) != nil || port(&b, 1).Set(high) != nil || a > b {
		return fmt.Errorf("%q is not a range of ports, LOW-HIGH", s)
	}
	return nil
}

func checkToken(s string) error {
	if strings.ContainsAny(s, " \t\r\n:") || len(s) < 8 {
		return errors.New("a token has at least 8 characters, and neither blanks nor colons")
	}
	return nil
}
