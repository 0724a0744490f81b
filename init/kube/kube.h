/* The kube role: applies the embedded manifests to the API server of this box and keeps them true; see kube/apply.h for
 * how, kube/serve.h for what it answers. Runs as a user of its own; the control channel is descriptor 3.
 *
 *   hearth kube [--manifests FILE|FOLDER] [--kubeconfig FILE] [--settings FILE] [--history FILE]
 *
 * Beside the history lies what the last run applied (FILE.applied), which spares the next one most of its requests.
 * --settings: this file alone counts, instead of the shipped one and the box's. It ends only when it is told to, when
 * PID 1 closes the channel, or when its own memory or the kernel fail it: broken manifests and a missing server are
 * told as facts. Facts: kube-manifests, kube-api, kube-applied, kube-healthy (every app is), node-ready, and app-NAME
 * for each app. */
#ifndef HEARTH_KUBE_KUBE_H
#define HEARTH_KUBE_KUBE_H

#define KUBE_MANIFESTS "/usr/share/hearth/manifests"
#define KUBE_CONFIG    "/etc/rancher/k3s/k3s.yaml"

int kube_main(int argc, char **argv);

#endif
