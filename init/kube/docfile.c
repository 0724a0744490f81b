/* A window over a file of YAML documents; see docfile.h. Runs in the kube role.
 * Never holds more of a file than one document and the block that was read with it. */
#include "kube/docfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"

#define FIRST (64 << 10) /* bytes of the window at first */

int docfile_open(struct docfile *f, const char *path, struct err *e)
{
	*f = (struct docfile){.path = path, .cap = FIRST};
	f->fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (f->fd < 0)
		return err_sys(e, "%s", path);
	f->text = malloc(f->cap);
	if (f->text)
		return 0;
	docfile_close(f);
	return err_set(e, ENOMEM, "%s: out of memory", path);
}

void docfile_close(struct docfile *f)
{
	if (f->fd >= 0)
		sys_close(f->fd);
	free(f->text);
	f->fd = -1;
	f->text = NULL;
}

/* Forgets what stands before the next document. */
static void shift(struct docfile *f)
{
	struct yamljson_doc next = {.line = f->doc.line};
	size_t gone = f->doc.at + f->doc.len;

	if (gone == 0)
		return;
	for (size_t i = f->doc.at; i < gone; i++)
		next.line += f->text[i] == '\n';
	memmove(f->text, f->text + gone, f->len - gone);
	f->len -= gone;
	f->base += (uint32_t)gone;
	f->doc = next;
}

static int grow(struct docfile *f, struct err *e)
{
	if (f->cap >= DOCFILE_DOCUMENT)
		return err_set(e, EFBIG, "%s:%d: a document of more than %d bytes; make the object smaller", f->path,
		               f->doc.line > 0 ? f->doc.line : 1, DOCFILE_DOCUMENT);
	char *more = realloc(f->text, f->cap * 2);
	if (!more)
		return err_set(e, ENOMEM, "%s: out of memory", f->path);
	f->text = more;
	f->cap *= 2;
	return 0;
}

static int read_more(struct docfile *f, struct err *e)
{
	shift(f);
	if (f->len == f->cap && grow(f, e) < 0)
		return -1;
	ssize_t n = sys_read(f->fd, f->text + f->len, f->cap - f->len);
	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "read %s", f->path);
	f->end = n == 0;
	f->len += (size_t)n;
	if (f->base > DOCFILE_BYTES)
		return err_set(e, EFBIG, "%s: more than %u bytes; split the file", f->path, DOCFILE_BYTES);
	return 0;
}

int docfile_next(struct docfile *f, struct docfile_doc *d, struct err *e)
{
	while (!yamljson_next(f->text, f->len, f->end, &f->doc)) {
		if (f->end)
			return 0;
		if (read_more(f, e) < 0)
			return -1;
	}
	d->text = f->text + f->doc.at;
	d->len = f->doc.len;
	d->at = f->base + (uint32_t)f->doc.at;
	d->line = f->doc.line;
	return 1;
}

static int read_all(int fd, const char *path, uint32_t at, char *text, size_t len, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = sys_pread(fd, text + done, len - done, (off_t)at + (off_t)done);
		if (n == 0)
			return err_set(e, ESTALE, "%s: changed since it was read", path);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "read %s", path);
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int docfile_again(const char *path, uint32_t at, char *text, size_t len, struct err *e)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "%s", path);
	int rc = read_all(fd, path, at, text, len, e);
	sys_close(fd);
	return rc;
}
