/* JSON bodies; see web_body.h. Runs in the web role, in its cage: it is the one that reads what strangers send. */
#include "console/web_body.h"

#include <errno.h>
#include <string.h>

#include <yyjson.h>

#include "base/str.h"
#include "format/json.h"

static yyjson_doc *read_object(const char *body, size_t len, struct err *e)
{
	yyjson_doc *doc = yyjson_read(body, len, 0);
	if (yyjson_is_obj(yyjson_doc_get_root(doc)))
		return doc;
	yyjson_doc_free(doc);
	err_put(e, EINVAL, "not a JSON object");
	return NULL;
}

/* A text without NUL that fits; -1: there is none of that name, or another kind of thing. */
static int get(yyjson_doc *doc, const char *name, char *dst, size_t cap)
{
	yyjson_val *v = yyjson_obj_get(yyjson_doc_get_root(doc), name);
	const char *s = yyjson_get_str(v);
	if (!s || strlen(s) != yyjson_get_len(v))
		return -1;
	return str_copy(dst, cap, s);
}

int web_body_login(const char *body, size_t len, struct web_login *l, struct err *e)
{
	memset(l, 0, sizeof(*l));
	yyjson_doc *doc = read_object(body, len, e);
	if (!doc)
		return -1;
	int rc = get(doc, "password", l->password, sizeof(l->password));
	if (rc == 0 && yyjson_obj_get(yyjson_doc_get_root(doc), "code"))
		rc = get(doc, "code", l->code, sizeof(l->code));
	yyjson_doc_free(doc);
	l->len = strlen(l->password);
	return rc == 0 ? 0 : err_set(e, EINVAL, "password or code: missing, too long, or no text");
}

static bool is_printable(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	}
	return true;
}

static int add_word(struct web_words *w, struct buf *text, yyjson_val *v)
{
	const char *s = yyjson_get_str(v);
	if (!s || strlen(s) != yyjson_get_len(v) || !is_printable(s) || w->argc == WEB_WORDS)
		return -1;
	w->argv[w->argc++] = text->data + text->len;
	buf_add_n(text, s, strlen(s) + 1);
	return buf_ok(text) ? 0 : -1;
}

int web_body_words(const char *body, size_t len, struct web_words *w, struct err *e)
{
	size_t i, n;
	struct buf text;
	int rc = 0;
	memset(w, 0, sizeof(*w));
	buf_init(&text, w->text, sizeof(w->text));
	yyjson_doc *doc = read_object(body, len, e);
	if (!doc)
		return -1;
	yyjson_val *v, *words = yyjson_obj_get(yyjson_doc_get_root(doc), "words");
	yyjson_arr_foreach(words, i, n, v)
	{
		rc = rc < 0 ? -1 : add_word(w, &text, v);
	}
	yyjson_doc_free(doc);
	if (rc == 0 && w->argc > 0 && w->argv[0][0])
		return 0;
	return err_set(e, EINVAL, "words: a list of one to %d texts", WEB_WORDS);
}

int web_body_session(const char *text, size_t len, char token[WEB_TOKEN + 1], struct buf *out, struct err *e)
{
	char csrf[WEB_TOKEN + 1];
	struct json j;
	yyjson_doc *doc = read_object(text, len, e);
	token[0] = '\0';
	if (!doc)
		return -1;
	yyjson_val *root = yyjson_doc_get_root(doc);
	json_init(&j, out);
	json_open_object(&j, NULL);
	json_bool(&j, "owner", yyjson_get_bool(yyjson_obj_get(root, "owner")));
	json_bool(&j, "session", yyjson_get_bool(yyjson_obj_get(root, "session")));
	if (get(doc, "csrf", csrf, sizeof(csrf)) == 0 && web_guard_is_token(csrf))
		json_string(&j, "csrf", csrf);
	json_close_object(&j);
	if (get(doc, "token", token, WEB_TOKEN + 1) < 0 || !web_guard_is_token(token))
		token[0] = '\0';
	yyjson_doc_free(doc);
	return json_ok(&j) ? 0 : err_set(e, EMSGSIZE, "the answer does not fit");
}
