/* The administrator's kubeconfig. Runs in the console and ctl roles. Only reads one regular file. */
#include "console/kubeconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/fields.h"
#include "console/text.h"

#define LOCAL "127.0.0.1"

/* The line that names the server: how it begins behind its indent, the line that goes above it, its new beginning. */
static const struct {
	const char *was, *above, *now;
} forms[] = {
	{"server: https://" LOCAL ":", "tls-server-name: " LOCAL "\n", "server: https://"},
	{"\"server\": \"https://" LOCAL ":", "\"tls-server-name\": \"" LOCAL "\",\n", "\"server\": \"https://"},
};

/* Nothing that could be more than an address in YAML. */
static bool is_address(const char *s)
{
	return s[0] && !s[strspn(s, "0123456789abcdef.:")];
}

/* The beginning of a line that names the server, with the address; returns the bytes of the line that it stands for. */
static size_t add_server(struct buf *out, const char *line, const char *address)
{
	size_t indent = strspn(line, " "), i = 0;
	while (i < COUNT_OF(forms) && !str_starts(line + indent, forms[i].was))
		i++;
	if (i == COUNT_OF(forms))
		return 0;
	text_blanks(out, (unsigned)indent);
	buf_add(out, forms[i].above);
	text_blanks(out, (unsigned)indent);
	buf_addf(out, strchr(address, ':') ? "%s[%s]:" : "%s%s:", forms[i].now, address);
	return indent + strlen(forms[i].was);
}

void kubeconfig_render(const char *text, size_t n, const char *address, struct buf *out)
{
	bool known = is_address(address);
	for (size_t at = 0; at < n; at++) {
		const char *line = text + at, *end = memchr(line, '\n', n - at);
		size_t len = end ? (size_t)(end - line) : n - at;
		size_t done = known ? add_server(out, line, address) : 0;
		text_clean(out, line + done, len - done);
		buf_add_char(out, '\n');
		at += len;
	}
}

static int not_yet(struct err *e)
{
	return err_set(e, ENOENT, "kubeconfig: the cluster has not come up yet; `services` shows k3s");
}

static int no_file(struct err *e)
{
	return err_set(e, EINVAL, "kubeconfig: " PATH_KUBECONFIG " is no regular file");
}

/* The open file, which has to fit into cap bytes and a NUL; returns its length. */
static ssize_t read_open(int fd, char *text, size_t cap, struct err *e)
{
	struct stat st;
	size_t n = 0;
	if (sys_fstat(fd, &st) < 0)
		return err_sys(e, "kubeconfig: " PATH_KUBECONFIG);
	if (!S_ISREG(st.st_mode))
		return no_file(e);
	for (;;) { /* each round takes at least one byte of a bounded room */
		ssize_t got = sys_pread(fd, text + n, cap + 1 - n, (off_t)n);
		if (got < 0)
			return err_sys(e, "kubeconfig: " PATH_KUBECONFIG);
		n += (size_t)got;
		if (n > cap)
			return err_set(e, EFBIG, "kubeconfig: " PATH_KUBECONFIG " is larger than %zu bytes", cap);
		if (got == 0)
			break;
	}
	text[n] = '\0';
	return n ? (ssize_t)n : not_yet(e);
}

static ssize_t read_file(char *text, size_t cap, struct err *e)
{
	int fd = sys_open(PATH_KUBECONFIG, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0);
	if (fd < 0 && errno == ENOENT)
		return not_yet(e);
	if (fd < 0 && errno == ELOOP)
		return no_file(e);
	if (fd < 0)
		return err_sys(e, "kubeconfig: " PATH_KUBECONFIG);
	ssize_t n = read_open(fd, text, cap, e);
	sys_close(fd);
	return n;
}

static int print(const char *path, const char *address, struct buf *out, struct err *e)
{
	static char text[LIMIT_FILE + 1];
	struct buf all;
	if (!str_eq(path, PATH_KUBECONFIG))
		return err_set(e, EINVAL, "kubeconfig: '%s' is not its path", path);
	ssize_t n = read_file(text, LIMIT_FILE, e);
	if (n < 0)
		return -1;
	buf_init(&all, out->data + out->len, out->cap - out->len);
	kubeconfig_render(text, (size_t)n, address, &all);
	if (!buf_ok(&all)) {
		buf_reset(&all);
		return err_set(e, EMSGSIZE, "kubeconfig: too long to show");
	}
	out->len += all.len;
	return 0;
}

int kubeconfig_print(const char *answer, struct buf *out, struct err *e)
{
	yyjson_doc *doc = fields_read(answer);
	yyjson_val *root = yyjson_doc_get_root(doc);
	int rc = print(field_str(root, "path"), field_str(root, "address"), out, e);
	yyjson_doc_free(doc);
	return rc;
}
