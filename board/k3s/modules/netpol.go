package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/metrics"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"github.com/vishvananda/netlink"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/component-base/metrics/legacyregistry"

	"hearth/k3s/modules/internal/plan"
)

// networkPolicies enforces NetworkPolicies by iptables and ipset: kube-router's controller, as k3s has it.
func (s *cluster) networkPolicies() error {
	// k3s only warns here. A policy that nobody enforces is worse than a server that says why it does not run.
	for _, program := range []string{"iptables", "iptables-save", "iptables-restore", "ipset"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w; without it policies are not enforced (disable-network-policy turns them off)", err)
		}
	}
	if !s.await(plan.APIReady) {
		return nil
	}
	config, err := s.clientConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if !s.awaitNodeAddress(client) {
		return nil
	}
	return s.enforce(client)
}

// awaitNodeAddress waits for the kubelet's node object, which the controller reads once.
func (s *cluster) awaitNodeAddress(client kubernetes.Interface) bool {
	for {
		node, err := client.CoreV1().Nodes().Get(s.ctx, s.NodeName, metav1.GetOptions{})
		if err == nil && len(node.Status.Addresses) > 0 {
			return true
		}
		if !s.pause(500 * time.Millisecond) {
			return false
		}
	}
}

func (s *cluster) enforce(client kubernetes.Interface) error {
	o := s.policyOptions()
	metrics.DefaultRegisterer, metrics.DefaultGatherer = legacyregistry.Registerer(), legacyregistry.DefaultGatherer
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(s.ctx.Done())
	factory.WaitForCacheSync(s.ctx.Done())
	if s.ctx.Err() != nil {
		return nil
	}
	iptables, sets, err := netpol.NewIPTablesHandlers(o)
	if err != nil {
		return err
	}
	health, err := healthcheck.NewHealthController(o)
	if err != nil {
		return err
	}
	controller, err := netpol.NewNetworkPolicyController(client, o, pods, policies, namespaces, &sync.Mutex{},
		&netlink.Handle{}, iptables, sets)
	if err != nil {
		return err
	}
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods: controller.PodEventHandler, namespaces: controller.NamespaceEventHandler,
		policies: controller.NetworkPolicyEventHandler,
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	health.SetAlive()
	beats := make(chan *healthcheck.ControllerHeartbeat)
	var both sync.WaitGroup
	both.Add(2)
	go health.RunCheck(beats, s.ctx.Done(), &both)
	controller.Run(beats, s.ctx.Done(), &both)
	if s.ctx.Err() == nil {
		return errors.New("the controller ended by itself")
	}
	return nil
}

func (s *cluster) policyOptions() *options.KubeRouterConfig {
	o := options.NewKubeRouterConfig()
	o.ClusterIPCIDRs = []string{s.ServiceCIDR.String()}
	o.EnableIPv4, o.EnableIPv6 = true, false
	o.NodePortRange = strings.ReplaceAll(s.NodePorts, "-", ":")
	o.HostnameOverride = s.NodeName
	o.RunFirewall, o.RunRouter, o.RunServiceProxy, o.MetricsEnabled = true, false, false, false
	return o
}
