package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"time"
)

// authority is a CA.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// ensureAuthority reads base.crt and base.key, or makes them at the very first start. A CA that is there but can not
// be used is an error: a new one in its place would lock out everything that trusts the old one.
func ensureAuthority(base, name string, now time.Time) (*authority, bool, error) {
	certificate, err := readCertificate(base + ".crt")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		ca, err := newAuthority(base, name, now)
		return ca, err == nil, err
	case err != nil:
		return nil, false, err
	}
	key, err := readKey(base + ".key")
	if err != nil {
		return nil, false, fmt.Errorf("the CA %s.crt can not be used without its key: %w", base, err)
	}
	if !sameKey(certificate.PublicKey, key) {
		return nil, false, fmt.Errorf("the CA %s.crt and %s.key do not belong together", base, base)
	}
	return &authority{certificate, key}, false, checkClock(base, certificate, now)
}

func checkClock(base string, certificate *x509.Certificate, now time.Time) error {
	const layout = "2006-01-02 15:04 UTC"
	if now.Before(certificate.NotBefore) {
		return fmt.Errorf("the clock says %s, but the CA %s.crt is valid from %s only: set the clock",
			now.UTC().Format(layout), base, certificate.NotBefore.UTC().Format(layout))
	}
	if now.After(certificate.NotAfter) {
		return fmt.Errorf("the clock says %s, but the CA %s.crt was valid until %s: set the clock, or make a new cluster",
			now.UTC().Format(layout), base, certificate.NotAfter.UTC().Format(layout))
	}
	return nil
}

func newAuthority(base, name string, now time.Time) (*authority, error) {
	key, err := ensureKey(base + ".key") // a stop between key and certificate left the key
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s@%d", name, now.Unix())},
		NotBefore:             validFrom,
		NotAfter:              now.Add(caTerm).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	certificate, err := sign(template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &authority{certificate, key}, writeCertificate(base+".crt", certificate)
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// ensure issues the certificate if it has to be, and says whether it did. With an error the old one may be usable.
func (l *leaf) ensure(now time.Time) (issued, usable bool, err error) {
	key, err := readKey(l.base + ".key")
	if err != nil { // a leaf's key carries nothing that could not be made again
		if !errors.Is(err, fs.ErrNotExist) {
			if err := os.Remove(l.base + ".key"); err != nil {
				return false, false, err
			}
		}
		if key, err = ensureKey(l.base + ".key"); err != nil {
			return false, false, err
		}
	}
	if old, err := readCertificate(l.base + ".crt"); err == nil && l.fits(old, key) {
		if !l.due(old, now) {
			return false, true, nil
		}
		usable = now.Before(old.NotAfter)
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: l.name, Organization: l.organization},
		NotBefore:   l.by.certificate.NotBefore, // as k3s: valid whenever its CA is
		NotAfter:    earlier(now.Add(leafTerm), l.by.certificate.NotAfter).UTC(),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{l.usage},
		DNSNames:    l.dns,
		IPAddresses: l.ips,
	}
	certificate, err := sign(template, l.by.certificate, key.Public(), l.by.key)
	if err != nil {
		return false, usable, err
	}
	if err := writeCertificate(l.base+".crt", certificate); err != nil {
		return false, usable, err
	}
	return true, true, nil
}

// due says whether a new certificate should take the old one's place for its term's sake.
func (l *leaf) due(old *x509.Certificate, now time.Time) bool {
	left := old.NotAfter.Sub(now)
	// In the CA's own last days a new one would not last longer.
	return left <= renewBefore && old.NotAfter.Before(l.by.certificate.NotAfter) || left > leafTerm+clockSlack
}

// fits says whether the old certificate is the right one, whatever its term.
func (l *leaf) fits(old *x509.Certificate, key crypto.Signer) bool {
	if old.CheckSignatureFrom(l.by.certificate) != nil || !sameKey(old.PublicKey, key) {
		return false
	}
	if old.Subject.CommonName != l.name {
		return false
	}
	for _, name := range l.dns {
		if old.VerifyHostname(name) != nil {
			return false
		}
	}
	for _, ip := range l.ips {
		if old.VerifyHostname(ip.String()) != nil {
			return false
		}
	}
	return true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
