/* For tests: a folder with a manifest in it, loaded, with an engine on the fake API of api.h. */
#ifndef HEARTH_TESTS_UNIT_KUBE_BOX_H
#define HEARTH_TESTS_UNIT_KUBE_BOX_H

#include "kube/apply.h"
#include "kube/sender.h"
#include "unit/kube/api.h"

static char box_file[] = "/tmp/hearth-manifest-XXXXXX.yaml";
static struct settings box_site;
static struct manifest box_m;
static struct apply box_a;
static struct sender box_sender;

static inline enum apply_sent box_send(const struct apply_call *c, void *arg, struct err *e)
{
	(void)arg;
	return sender_send(&box_sender, c, e);
}

static inline void box_discover(void *arg)
{
	(void)arg;
}

static inline bool box_allows(unsigned item, const char *annotation, void *arg)
{
	(void)item;
	(void)annotation;
	(void)arg;
	return false;
}

static inline void box_tell(unsigned item, const char *text, void *arg)
{
	(void)item;
	(void)text;
	(void)arg;
}

static inline void box_seen(void *arg)
{
	(void)arg;
	(void)apply_run(&box_a);
}

#define BOX_MAP(name) "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " name "\n  namespace: ns\n"
#define BOX_APP(name) "  labels: {app.kubernetes.io/name: " name "}\n"

static inline int box_setup(const struct link_hooks *hooks, const char *yaml)
{
	static const struct apply_ops ops = {box_send, box_discover, box_allows, box_tell};
	if (api_setup(hooks) < 0)
		return -1;
	memcpy(strchr(box_file, '.') - 6, "XXXXXX", 6);
	int fd = mkstemps(box_file, 5);
	if (fd < 0 || write(fd, yaml, strlen(yaml)) != (ssize_t)strlen(yaml))
		return -1;
	close(fd);
	settings_default(&box_site);
	if (manifest_load(&box_m, box_file, &box_site, &api_err) < 0 ||
	    apply_init(&box_a, &box_m, &ops, NULL, &api_err) < 0) {
		print_message("%s\n", api_err.text);
		return -1;
	}
	sender_init(&box_sender, &api_link, &box_a);
	box_sender.seen = box_seen;
	return 0;
}

static inline int box_teardown(void)
{
	sender_close(&box_sender);
	apply_free(&box_a);
	manifest_free(&box_m);
	unlink(box_file);
	return api_teardown();
}

#endif
