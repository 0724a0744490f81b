// Package pki makes the cluster's certificates once and keeps them: k3s's files, names, ciphers and terms.
//
//	server/tls/{server,client,request-header}-ca.{crt,key}   ten years
//	server/tls/service.key                                   signs ServiceAccount tokens
//	server/tls/*.{crt,key}, agent/*.{crt,key}                one year, made anew when that is short
//
// Keys live as long as the data does. A leaf certificate is issued anew at a start when it has expired or is within
// 120 days of it, when it lasts longer than one made today would (the clock was in the future), when a name or an
// address it must carry is missing, or when its CA or key is another one.
package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"hearth/k3s/modules/internal/durable"
)

const (
	day         = 24 * time.Hour
	caTerm      = 3650 * day
	leafTerm    = 365 * day
	renewBefore = 120 * day
	// clockSlack is how much longer than leafTerm a certificate may last: clocks are put right by minutes, too.
	clockSlack = day
)

// validFrom is where every certificate's term begins, whatever the clock says: a first start with the clock in the
// future must not make certificates that are not valid once it has been put right. The date is one before any that a
// board's clock starts at when its battery is empty, except 1970, which is refused as no time to count a term from.
var validFrom = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

var authorities = [3]string{"server", "client", "request-header"}

// Request says whom the certificates are for.
type Request struct {
	ServerDir, AgentDir string // .../server and .../agent
	NodeName            string
	NodeIP              netip.Addr
	ClusterDomain       string
	ServiceAddress      netip.Addr // of the service "kubernetes"
	Extra               []string   // more names and addresses of the API server
	Now                 time.Time
}

// Result is what happened, for the log.
type Result struct {
	Issued []string // paths of certificates made or renewed
	Kept   []error  // why certificates that are due could not be renewed; they go on being used
}

// leaf is one certificate with its key, at base.crt and base.key.
type leaf struct {
	by           *authority
	base         string
	name         string
	organization []string
	usage        x509.ExtKeyUsage
	dns          []string
	ips          []net.IP
}

// Ensure makes what is missing and renews what is due. It changes no key and no CA that is there.
func Ensure(r Request) (Result, error) {
	result := Result{}
	tls := func(name string) string { return filepath.Join(r.ServerDir, "tls", name) }
	agent := func(name string) string { return filepath.Join(r.AgentDir, name) }
	var cas [3]*authority
	for i, name := range authorities {
		ca, made, err := ensureAuthority(tls(name+"-ca"), "k3s-"+name+"-ca", r.Now)
		if err != nil {
			return result, err
		}
		if made {
			result.Issued = append(result.Issued, tls(name+"-ca.crt"))
		}
		cas[i] = ca
	}
	if err := ensureServiceKey(tls("service.key")); err != nil {
		return result, err
	}
	for _, l := range r.leaves(cas[0], cas[1], cas[2], tls, agent) {
		issued, usable, err := l.ensure(r.Now)
		if err != nil {
			err = fmt.Errorf("certificate %s.crt: %w", l.base, err)
			if !usable {
				return result, err
			}
			result.Kept = append(result.Kept, err)
		}
		if issued {
			result.Issued = append(result.Issued, l.base+".crt")
		}
	}
	for _, name := range []string{"server-ca.crt", "client-ca.crt"} { // as k3s leaves them for the agent
		if err := copyFile(tls(name), agent(name)); err != nil {
			return result, err
		}
	}
	return result, nil
}

// leaves is the table of every certificate that is not a CA's.
func (r *Request) leaves(server, client, front *authority, tls, agent func(string) string) []leaf {
	masters := []string{"system:masters"}
	service := "kubernetes.default.svc"
	dns := []string{"kubernetes", "kubernetes.default", service, service + "." + r.ClusterDomain, "localhost", r.NodeName}
	ips := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback, r.ServiceAddress.AsSlice(), r.NodeIP.AsSlice()}
	for _, extra := range r.Extra {
		if ip := net.ParseIP(extra); ip != nil {
			ips = append(ips, ip)
		} else {
			dns = append(dns, extra)
		}
	}
	nodeDNS := []string{r.NodeName, "localhost"}
	nodeIPs := []net.IP{net.IPv4(127, 0, 0, 1), r.NodeIP.AsSlice()}
	node, nodes := "system:node:"+r.NodeName, []string{"system:nodes"}
	const asServer, asClient = x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	return []leaf{
		{server, tls("serving-kube-apiserver"), "kube-apiserver", nil, asServer, dns, ips},
		{server, agent("serving-kubelet"), r.NodeName, nil, asServer, nodeDNS, nodeIPs},
		{client, tls("client-admin"), "system:admin", masters, asClient, nil, nil},
		{client, tls("client-supervisor"), "system:k3s-supervisor", masters, asClient, nil, nil},
		{client, tls("client-kube-apiserver"), "system:apiserver", masters, asClient, nil, nil},
		{client, tls("client-controller"), "system:kube-controller-manager", nil, asClient, nil, nil},
		{client, tls("client-scheduler"), "system:kube-scheduler", nil, asClient, nil, nil},
		{client, agent("client-kubelet"), node, nodes, asClient, nil, nil},
		{client, agent("client-kube-proxy"), "system:kube-proxy", nil, asClient, nil, nil},
		{front, tls("client-auth-proxy"), "system:auth-proxy", nil, asClient, nil, nil},
	}
}

// FirstEnd is when the first leaf certificate ends of those that a start at r.Now could renew; zero when there is none.
func FirstEnd(r Request) (time.Time, error) {
	first := time.Time{}
	tls := func(name string) string { return filepath.Join(r.ServerDir, "tls", name) }
	agent := func(name string) string { return filepath.Join(r.AgentDir, name) }
	var cas [3]*authority
	for i, name := range authorities {
		certificate, err := readCertificate(tls(name + "-ca.crt"))
		if err != nil {
			return first, err
		}
		cas[i] = &authority{certificate: certificate}
	}
	for _, l := range r.leaves(cas[0], cas[1], cas[2], tls, agent) {
		certificate, err := readCertificate(l.base + ".crt")
		if err != nil {
			return first, err
		}
		end, ca := certificate.NotAfter, l.by.certificate
		if r.Now.After(ca.NotAfter) || !end.Before(ca.NotAfter) {
			continue // a start would not go on, or make one with the same end
		}
		if first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first, nil
}

// Fingerprint is the server CA's part of a k3s token.
func Fingerprint(serverDir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(serverDir, "tls", "server-ca.crt"))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(text)), nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return durable.Write(to, text, durable.Public)
}
