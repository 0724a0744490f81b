/* Pods for the consoles. Pure; runs in the kube role. */
#include "kube/pods.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "kube/object.h"

/* Columns of the table, found by their names: the server may add others. */
enum column { NAME, READY, STATUS, RESTARTS, ADDRESS, COLUMNS };

static void find_columns(yyjson_val *table, int column[COLUMNS])
{
	static const char *const names[COLUMNS] = {"Name", "Ready", "Status", "Restarts", "IP"};
	yyjson_arr_iter it;
	yyjson_val *c;
	for (int i = 0; i < COLUMNS; i++)
		column[i] = -1;
	yyjson_arr_iter_init(yyjson_obj_get(table, "columnDefinitions"), &it);
	for (int at = 0; (c = yyjson_arr_iter_next(&it)) != NULL; at++) {
		for (int i = 0; i < COLUMNS; i++) {
			if (str_eq(object_str(c, "/name"), names[i]))
				column[i] = at;
		}
	}
}

static yyjson_val *cell(yyjson_val *row, int column)
{
	return column < 0 ? NULL : yyjson_arr_get(yyjson_obj_get(row, "cells"), (size_t)column);
}

static const char *cell_text(yyjson_val *row, int column)
{
	const char *s = yyjson_get_str(cell(row, column));
	return s ? s : "";
}

/* A number, or a text that begins with one: "3 (5m ago)". */
static int64_t cell_number(yyjson_val *row, int column)
{
	yyjson_val *v = cell(row, column);
	if (yyjson_is_int(v))
		return yyjson_get_sint(v);
	return strtol(cell_text(row, column), NULL, 10);
}

static int64_t age(yyjson_val *row, int64_t now)
{
	struct tm t = {0};
	const char *text = object_str(row, "/object/metadata/creationTimestamp");
	const char *end = text[0] ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &t) : NULL;
	if (!end || *end != '\0')
		return 0;
	int64_t seconds = now - (int64_t)timegm(&t);
	return seconds > 0 ? seconds : 0; /* the clock may have been set back */
}

void pods_answer(struct json *out, yyjson_val *table, int64_t now, size_t room)
{
	int column[COLUMNS];
	int64_t left = 0;
	yyjson_arr_iter it;
	yyjson_val *row;
	find_columns(table, column);
	json_open_object(out, NULL);
	json_open_list(out, "pods");
	yyjson_arr_iter_init(yyjson_obj_get(table, "rows"), &it);
	while ((row = yyjson_arr_iter_next(&it)) != NULL) {
		if (out->out->len + PODS_ROOM > room) {
			left++;
			continue;
		}
		json_open_object(out, NULL);
		json_string(out, "namespace", object_str(row, "/object/metadata/namespace"));
		json_string(out, "name", cell_text(row, column[NAME]));
		json_string(out, "status", cell_text(row, column[STATUS]));
		json_string(out, "ready", cell_text(row, column[READY]));
		json_int(out, "restarts", cell_number(row, column[RESTARTS]));
		json_int(out, "age", age(row, now));
		json_string(out, "ip", cell_text(row, column[ADDRESS]));
		json_close_object(out);
	}
	json_close_list(out);
	if (left > 0)
		json_int(out, "more", left);
	json_close_object(out);
}

static bool is_plain(const char *s)
{
	return s[0] != '\0' && s[0] != '.' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(s);
}

int pods_query(char *text, const char **ns, struct buf *query, struct err *e)
{
	char *slash = strchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	*ns = "";
	if (slash) {
		*slash = '\0';
		*ns = text;
	}
	if (!is_plain(name) || (slash && !is_plain(*ns)))
		return err_set(e, EINVAL, "no pod can be called '%s'; pods lists them", name);
	buf_addf(query, "fieldSelector=metadata.name%%3D%s&limit=20", name);
	return buf_ok(query) ? 0 : err_set(e, EINVAL, "no pod has so long a name");
}

static const char *const lists[][2] = {{"/spec/containers", "/status/containerStatuses"},
                                       {"/spec/initContainers", "/status/initContainerStatuses"}};

static yyjson_val *named(yyjson_val *pod, const char *pointer, const char *name)
{
	yyjson_arr_iter it;
	yyjson_val *c;
	yyjson_arr_iter_init(yyjson_ptr_get(pod, pointer), &it);
	while ((c = yyjson_arr_iter_next(&it)) != NULL) {
		if (str_eq(object_str(c, "/name"), name))
			return c;
	}
	return NULL;
}

static void add_names(struct buf *b, yyjson_val *pod)
{
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		yyjson_arr_iter it;
		yyjson_val *c;
		yyjson_arr_iter_init(yyjson_ptr_get(pod, lists[i][0]), &it);
		while ((c = yyjson_arr_iter_next(&it)) != NULL)
			buf_addf(b, "%s%s", b->len > 0 ? ", " : "", object_str(c, "/name"));
	}
}

static int choose(yyjson_val *pod, const char **container, struct err *e)
{
	yyjson_val *all = yyjson_ptr_get(pod, "/spec/containers");
	char text[128];
	struct buf b;
	if ((*container)[0] == '\0' && yyjson_arr_size(all) == 1)
		*container = object_str(yyjson_arr_get_first(all), "/name");
	if ((*container)[0] != '\0' && (named(pod, lists[0][0], *container) || named(pod, lists[1][0], *container)))
		return 0;
	buf_init(&b, text, sizeof(text));
	add_names(&b, pod);
	if ((*container)[0] == '\0')
		return err_set(e, EINVAL, "which of its containers? %s", text);
	return err_set(e, ENOENT, "no container '%s' in it; there are %s", *container, text);
}

int pods_log(yyjson_val *list, const char *container, struct buf *path, struct err *e)
{
	yyjson_val *items = yyjson_obj_get(list, "items");
	yyjson_val *pod = yyjson_arr_get_first(items);
	if (!pod)
		return err_set(e, ENOENT, "no such pod; pods lists them");
	if (yyjson_arr_size(items) > 1)
		return err_set(e, EINVAL, "several namespaces have one: say pod/%s/%s",
		               object_str(pod, "/metadata/namespace"), object_str(pod, "/metadata/name"));
	if (choose(pod, &container, e) < 0)
		return -1;
	yyjson_val *status = named(pod, lists[0][1], container);
	if (!status)
		status = named(pod, lists[1][1], container);
	/* What becomes a path is checked, even though the server has checked it, too. */
	const char *ns = object_str(pod, "/metadata/namespace"), *name = object_str(pod, "/metadata/name"),
		   *uid = object_str(pod, "/metadata/uid");
	if (!is_plain(ns) || !is_plain(name) || !is_plain(uid) || !is_plain(container))
		return err_set(e, EPROTO, "the server's answer has no usable names");
	buf_addf(path, PODS_LOGS "/%s_%s_%s/%s/%" PRId64 ".log", ns, name, uid, container,
	         object_int(status, "/restartCount", 0));
	return buf_ok(path) ? 0 : err_set(e, ENAMETOOLONG, "its path is too long");
}
