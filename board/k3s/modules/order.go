package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/config"
	"hearth/k3s/modules/internal/order"
	"hearth/k3s/modules/internal/plan"
)

const orderCall = 10 * time.Second // for one question, to the API server or to iptables

// settleOrder lets kube-proxy start before the kubelet where the node is known from an earlier start, else after it.
func (s *cluster) settleOrder() error {
	if !plan.ProxyRules(s.Config) {
		close(s.holds[plan.KubeletTurn]) // whoever makes the rules, it may be a pod
		s.letProxyStart(plan.APIReady)
		return nil
	}
	if !s.await(plan.APIAnswers) {
		return nil
	}
	world, err := s.world()
	if err != nil {
		return err
	}
	warm, err := world.IsWarm()
	if err != nil {
		klog.Warningf("is the node known? %v", err)
	}
	if !warm {
		klog.Info("a new node: the kubelet starts before kube-proxy")
		close(s.holds[plan.KubeletTurn])
		s.letProxyStart(plan.APIReady)
		return nil
	}
	if !world.AwaitAllowed() {
		return nil
	}
	s.letProxyStart()
	began := time.Now()
	err = world.AwaitRules()
	if s.ctx.Err() != nil {
		return nil
	}
	if err != nil {
		klog.Warningf("the kubelet starts although pods can not reach the API server's service: %v", err)
	} else {
		klog.Infof("kube-proxy's rules are there, %s after its start", time.Since(began).Round(time.Millisecond))
	}
	close(s.holds[plan.KubeletTurn])
	return nil
}

func (s *cluster) letProxyStart(after ...plan.Condition) {
	if s.await(after...) {
		close(s.holds[plan.ProxyTurn])
	}
}

func (s *cluster) world() (order.World, error) {
	mine, err := clientOf(s.Server("cred/supervisor.kubeconfig"))
	if err != nil {
		return order.World{}, err
	}
	proxys, err := clientOf(s.Agent("kubeproxy.kubeconfig"))
	if err != nil {
		return order.World{}, err
	}
	address := config.Nth(s.ServiceCIDR, 1).String()
	return order.World{
		Node:    func() (bool, error) { return s.hasNode(mine) },
		Allowed: func() error { _, err := s.hasNode(proxys); return err },
		Ready:   s.isUp,
		Reached: func() (bool, error) {
			rules, err := s.serviceRules()
			return order.Leads(rules, address, 443), err
		},
		Now:   time.Now,
		Pause: s.pause,
	}, nil
}

func clientOf(kubeconfig string) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// hasNode says whether the node object is there with the address that the node has today. kube-proxy reads it once.
func (s *cluster) hasNode(client kubernetes.Interface) (bool, error) {
	ctx, cancel := context.WithTimeout(s.ctx, orderCall)
	defer cancel()
	node, err := client.CoreV1().Nodes().Get(ctx, s.NodeName, metav1.GetOptions{})
	if err != nil {
		if apierrors.IsNotFound(err) {
			err = nil
		}
		return false, err
	}
	for _, address := range node.Status.Addresses {
		if address.Address == s.NodeIP.String() {
			return true, nil
		}
	}
	return false, nil
}

func (s *cluster) serviceRules() (string, error) {
	ctx, cancel := context.WithTimeout(s.ctx, orderCall)
	defer cancel()
	command := exec.CommandContext(ctx, "iptables", "-w", "5", "-t", "nat", "-S", "KUBE-SERVICES")
	rules, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("iptables -S KUBE-SERVICES: %w", err)
	}
	return string(rules), nil
}
