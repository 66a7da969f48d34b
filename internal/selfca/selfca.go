// Package selfca makes a certificate authority and server certificates signed by it, for masters that were given none.
package selfca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"brine/internal/atomicfile"
)

const (
	caYears    = 20
	certMonths = 12
	// renewBefore is how long before its end a server certificate is made anew.
	renewBefore = 30 * 24 * time.Hour
)

// Server returns a certificate for the names (host names and addresses), signed by the authority that is kept in dir. The
// authority is made at the first call: ca.pem is what clients trust.
func Server(dir string, names []string) (tls.Certificate, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return tls.Certificate{}, err
	}
	ca, caKey, err := authority(dir)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	certPath, keyPath := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	if cert, err := tls.LoadX509KeyPair(certPath, keyPath); err == nil && fits(&cert, ca, names) {
		return cert, nil
	}
	if err := issue(ca, caKey, names, certPath, keyPath); err != nil {
		return tls.Certificate{}, fmt.Errorf("server certificate in %s: %w", dir, err)
	}
	return tls.LoadX509KeyPair(certPath, keyPath)
}

// fits tells whether a kept certificate still does: of this authority, for all the names, and not about to end.
func fits(c *tls.Certificate, ca *x509.Certificate, names []string) bool {
	if c.Leaf == nil || c.Leaf.CheckSignatureFrom(ca) != nil || time.Until(c.Leaf.NotAfter) < renewBefore {
		return false
	}
	for _, n := range names {
		if c.Leaf.VerifyHostname(n) != nil {
			return false
		}
	}
	return true
}

func authority(dir string) (*x509.Certificate, crypto.Signer, error) {
	certPath, keyPath := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err == nil {
		key, ok := pair.PrivateKey.(crypto.Signer)
		if !ok {
			return nil, nil, fmt.Errorf("a %T cannot sign", pair.PrivateKey)
		}
		return pair.Leaf, key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	tmpl := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Brine master authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(caYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if err := write(tmpl, tmpl, key, key, certPath, keyPath); err != nil {
		return nil, nil, err
	}
	return authority(dir)
}

func issue(ca *x509.Certificate, caKey crypto.Signer, names []string, certPath, keyPath string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Brine master"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, certMonths, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, n)
		}
	}
	return write(tmpl, ca, key, caKey, certPath, keyPath)
}

func write(tmpl, parent *x509.Certificate, key *ecdsa.PrivateKey, signer crypto.Signer, certPath, keyPath string) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	tmpl.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o400); err != nil {
		return err
	}
	return atomicfile.Write(certPath, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
