/* List and watch of one kind. Pure; runs in the kube role. It parses what the API server sends: any bytes may come. */
#include "kube/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kube/object.h"

#define STREAM_S 540 /* the server ends a watch after this; its own limit is somewhere between 30 and 60 minutes */

void watch_init(struct watch *w, const struct watch_ops *ops, void *arg)
{
	memset(w, 0, sizeof(*w));
	w->ops = ops;
	w->arg = arg;
	w->group = w->kind = w->selector = "";
	w->first = true;
	w->page = WATCH_PAGE;
}

void watch_free(struct watch *w)
{
	free(w->more);
	w->more = NULL;
}

void watch_restart(struct watch *w)
{
	watch_free(w);
	w->state = WATCH_LIST;
	w->since[0] = '\0';
	w->first = true;
}

void watch_shrink(struct watch *w)
{
	w->page = w->page > 1 ? w->page / 2 : 1;
	watch_restart(w);
}

void watch_query(const struct watch *w, struct buf *b)
{
	if (w->selector[0])
		buf_addf(b, "%s&", w->selector);
	if (w->state == WATCH_OPEN) {
		buf_addf(b, "watch=true&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=", STREAM_S);
		object_escape(b, w->since);
		return;
	}
	buf_addf(b, "limit=%u", w->page);
	if (w->more) {
		buf_add(b, "&continue=");
		object_escape(b, w->more);
	}
}

const char *watch_accept(const struct watch *w)
{
	if (w->full)
		return "application/json";
	return w->state == WATCH_OPEN ? "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	                              : "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
}

static int set_since(struct watch *w, yyjson_val *object, struct err *e)
{
	const char *version = object_str(object, "/metadata/resourceVersion");
	if (version[0] == '\0' || str_copy(w->since, sizeof(w->since), version) < 0)
		return err_set(e, EPROTO, "an answer without a usable resourceVersion");
	return 0;
}

static int take_more(struct watch *w, yyjson_val *list, struct err *e)
{
	const char *more = object_str(list, "/metadata/continue");
	size_t n = strlen(more);
	watch_free(w);
	if (n == 0)
		return 0;
	if (n >= WATCH_CONTINUE)
		return err_set(e, EPROTO, "a continue token of %zu bytes", n);
	w->more = malloc(n + 1);
	if (!w->more)
		return err_set(e, ENOMEM, "no memory");
	memcpy(w->more, more, n + 1);
	return 0;
}

int watch_page(struct watch *w, yyjson_val *list, struct err *e)
{
	yyjson_arr_iter it;
	yyjson_val *object, *items = yyjson_obj_get(list, "items");
	if (!yyjson_is_arr(items) && !yyjson_is_null(items)) {
		watch_restart(w);
		return err_set(e, EPROTO, "no list");
	}
	if (set_since(w, list, e) < 0 || take_more(w, list, e) < 0) {
		watch_restart(w);
		return -1;
	}
	if (w->first)
		w->ops->list(w, false);
	w->first = false;
	yyjson_arr_iter_init(items, &it);
	while ((object = yyjson_arr_iter_next(&it)) != NULL)
		w->ops->object(w, WATCH_LISTED, object);
	if (w->more)
		return 0;
	w->state = WATCH_OPEN;
	w->ops->list(w, true);
	return 0;
}

/* The server says inside the stream why it ends. */
static int stream_error(struct watch *w, yyjson_val *status, struct err *e)
{
	const char *text = object_str(status, "/message");
	if (object_int(status, "/code", 0) != 410)
		return err_set(e, EIO, "%s", text[0] ? text : "an error without a message");
	watch_restart(w);
	return err_set(e, ESTALE, "%s", text[0] ? text : "too old");
}

static int take_event(struct watch *w, yyjson_val *event, struct err *e)
{
	static const char *const names[] = {"ADDED", "MODIFIED", "DELETED"};
	const char *type = object_str(event, "/type");
	yyjson_val *object = yyjson_obj_get(event, "object");
	if (str_eq(type, "ERROR"))
		return stream_error(w, object, e);
	if (set_since(w, object, e) < 0)
		return -1;
	if (str_eq(type, "BOOKMARK"))
		return 0;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!str_eq(type, names[i]))
			continue;
		w->ops->object(w, (enum watch_event)i, object);
		return 0;
	}
	return err_set(e, EPROTO, "an event of the unknown type '%.20s'", type);
}

int watch_line(struct watch *w, char *line, size_t len, struct err *e)
{
	yyjson_read_err why;
	yyjson_doc *doc = yyjson_read_opts(line, len, YYJSON_READ_INSITU, NULL, &why);
	if (!doc)
		return err_set(e, EPROTO, "an event that is no JSON: %s", why.msg);
	int rc = take_event(w, yyjson_doc_get_root(doc), e);
	yyjson_doc_free(doc);
	return rc;
}
