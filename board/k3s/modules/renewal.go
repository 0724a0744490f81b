package main

import (
	"time"

	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/pki"
	"hearth/k3s/modules/internal/renewal"
)

const certificateLook = 30 * time.Minute // at least one falls into the hour of package renewal

// watchCertificates asks for the server's end once its certificates should be renewed, which a start does.
func (s *cluster) watchCertificates() error {
	began := time.Now() // has the monotonic clock, too: a clock that is put right does not count as time passed
	for s.pause(certificateLook) {
		now := time.Now()
		end, err := pki.FirstEnd(certificateRequest(s.Config, now))
		if err != nil {
			klog.Warningf("looking at the certificates: %v", err)
			continue
		}
		if renewal.Due(end, now, now.Sub(began)) {
			klog.Infof("a certificate ends on %s: stopping, so that the next start renews it; pods go on running",
				end.UTC().Format(time.DateOnly))
			close(s.renew)
			return nil
		}
	}
	return nil
}
