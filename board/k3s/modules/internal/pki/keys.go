package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hearth/k3s/modules/internal/durable"
)

const (
	ecType          = "EC PRIVATE KEY"
	rsaType         = "RSA PRIVATE KEY"
	certificateType = "CERTIFICATE"
)

// ensureKey reads an EC key or makes one; a file that is there but can not be read is an error.
func ensureKey(path string) (crypto.Signer, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(made)
	if err != nil {
		return nil, err
	}
	return made, writeBlock(path, ecType, der, durable.Private)
}

// ensureServiceKey does the same for the key of ServiceAccount tokens, which is RSA as everywhere.
func ensureServiceKey(path string) error {
	_, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	made, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	return writeBlock(path, rsaType, x509.MarshalPKCS1PrivateKey(made), durable.Private)
}

func readKey(path string) (crypto.Signer, error) {
	block, err := readBlock(path)
	if err != nil {
		return nil, err
	}
	var key crypto.Signer
	switch block.Type {
	case ecType:
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case rsaType:
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		err = fmt.Errorf("a PEM block %q is no key", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	block, err := readBlock(path)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certificate, nil
}

func writeCertificate(path string, certificate *x509.Certificate) error {
	return writeBlock(path, certificateType, certificate.Raw, durable.Public)
}

func readBlock(path string) (*pem.Block, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: not a PEM file", path)
	}
	return block, nil
}

func writeBlock(path, kind string, der []byte, owner durable.Owner) error {
	return durable.Write(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), owner)
}

func sameKey(public crypto.PublicKey, key crypto.Signer) bool {
	comparable, is := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return is && comparable.Equal(public)
}
