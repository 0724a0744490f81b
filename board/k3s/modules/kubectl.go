package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

// kubectl runs kubectl, with the administrator's kubeconfig unless the environment names another.
func kubectl(args []string) {
	const variable, administrator = "KUBECONFIG", "/etc/rancher/k3s/k3s.yaml"
	if os.Getenv(variable) == "" {
		if _, err := os.Stat(administrator); err == nil {
			os.Setenv(variable, administrator)
		}
	}
	os.Args = append([]string{"kubectl"}, args...)
	util.CheckErr(cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()))
}
