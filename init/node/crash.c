/* The kernel's last words of an earlier run, from pstore to the state partition; see crash.h. Run by the storage role.
 * Must never remove the only copy. */
#include "node/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/identity.h"

#define NAME       64 /* "dmesg-efi_pstore-179563324203001" and some */
#define HEAD       64 /* holds the first line of a dump, "Panic#1 Part3" */
#define BLOCK      4096
#define NUMBER_MAX UINT64_C(999999999)
#define FAULT      "hearth: PID 1 fault: "
#define PANIC      "Kernel panic - not syncing: "

/* One file of pstore. A dump of the kernel comes in parts, each a file; part 1 is the end of the log. */
struct part {
	char name[NAME];
	int64_t time; /* of the crash, seconds */
	uint64_t count, number;
	size_t size;
	bool dump; /* false: the text of a console or of user space */
	bool done; /* in the text, or too old for it: may be removed */
};

/* The role has one thread and runs once. */
static struct {
	struct part part[CRASH_FILES];
	unsigned parts;
	char text[CRASH_TEXT + 1];
	size_t len, newest; /* newest: where the last dump starts */
} cr;

struct span {
	const char *at;
	size_t len;
};

static bool starts(const struct span *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s->len >= n && memcmp(s->at, prefix, n) == 0;
}

static void skip(struct span *s, size_t n)
{
	s->at += n;
	s->len -= n;
}

/* The next line without its end; false after the last. */
static bool next_line(struct span *rest, struct span *line)
{
	if (rest->len == 0)
		return false;
	const char *end = memchr(rest->at, '\n', rest->len);
	line->at = rest->at;
	line->len = end ? (size_t)(end - rest->at) : rest->len;
	skip(rest, line->len + (end != NULL));
	return true;
}

/* Drops OPEN, characters of `set`, CLOSE from the front, when all of it is there. */
static void drop(struct span *s, char open, const char *set, char close)
{
	size_t n = 1;

	if (s->len == 0 || s->at[0] != open)
		return;
	while (n < s->len && s->at[n] != '\0' && strchr(set, s->at[n]))
		n++;
	if (n < s->len && s->at[n] == close)
		skip(s, n + 1);
}

static void drop_prefix(struct span *line)
{
	drop(line, '<', "0123456789", '>');
	drop(line, '[', "0123456789. ", ']');
	if (line->len > 0 && line->at[0] == ' ')
		skip(line, 1);
}

/* `before` and the line, without what a person has no use for afterwards. */
static void say(char reason[LIMIT_DETAIL], const char *before, const struct span *s)
{
	char line[LIMIT_DETAIL];
	struct buf b;

	buf_init(&b, line, sizeof(line));
	buf_add(&b, before);
	buf_add_n(&b, s->at, s->len);
	identity_sentence(reason, LIMIT_DETAIL, line);
	char *tail = strstr(reason, "; the box restarts");
	if (tail)
		*tail = '\0';
}

static void take_first(struct span *kept, const struct span *line)
{
	if (!kept->at)
		*kept = *line;
}

void crash_reason(const char *text, size_t len, char reason[LIMIT_DETAIL])
{
	struct span rest = {text, len}, line, fault = {0}, panic = {0}, error = {0};
	char before[LIMIT_DETAIL];

	reason[0] = '\0';
	while (next_line(&rest, &line)) {
		drop_prefix(&line);
		if (starts(&line, FAULT))
			take_first(&fault, &line);
		else if (starts(&line, PANIC))
			take_first(&panic, &line);
		else if (starts(&line, "BUG: ") || starts(&line, "Oops: ") || starts(&line, "kernel BUG at "))
			take_first(&error, &line);
	}
	if (fault.at) {
		skip(&fault, strlen("hearth: "));
		say(reason, "", &fault);
	} else if (panic.at) {
		skip(&panic, strlen(PANIC));
		say(reason, "kernel panic: ", &panic);
		/* That an error is fatal says nothing about the error. */
		if (error.at && starts(&panic, "Fatal exception") &&
		    str_format(before, sizeof(before), "%s: ", reason) == 0)
			say(reason, before, &error);
	} else if (error.at) {
		say(reason, "kernel error: ", &error);
	}
}

enum end_kind crash_kind(const char *reason)
{
	return str_starts(reason, "PID 1 fault: ") ? END_PID1_FAULT : END_PANIC;
}

/* From the start of the file, at most cap bytes; the number of bytes. */
static ssize_t read_some(const char *path, char *to, size_t cap, struct err *e)
{
	size_t len = 0;
	ssize_t n = 1;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	while (len < cap && (n = sys_read(fd, to + len, cap - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		err_put_sys(e, "read %s", path);
	sys_close(fd);
	return n < 0 ? -1 : (ssize_t)len;
}

static int path_in(const char *folder, const char *name, char path[LIMIT_PATH], struct err *e)
{
	if (str_format(path, LIMIT_PATH, "%s/%s", folder, name) < 0)
		return err_set(e, ENAMETOOLONG, "%s/%.40s: name too long", folder, name);
	return 0;
}

/* "#1 Part3\n" behind the kind of the dump, which is one word. */
static bool read_head(struct part *p, char head[HEAD])
{
	char *hash = strchr(head, '#'), *part = strstr(head, " Part"), *end = strchr(head, '\n');

	if (!hash || !part || !end || hash > part || part > end)
		return false;
	*part = '\0';
	*end = '\0';
	return str_u64(hash + 1, NUMBER_MAX, &p->count) == 0 &&
	       str_u64(part + strlen(" Part"), NUMBER_MAX, &p->number) == 0;
}

static int look(const char *from, struct part *p, struct err *e)
{
	char path[LIMIT_PATH], head[HEAD];
	struct stat st;

	if (path_in(from, p->name, path, e) < 0)
		return -1;
	if (sys_stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	ssize_t n = read_some(path, head, sizeof(head) - 1, e);
	if (n < 0)
		return -1;
	head[n] = '\0';
	p->time = st.st_mtime;
	p->size = st.st_size < CRASH_PART ? (size_t)st.st_size : CRASH_PART;
	p->dump = str_starts(p->name, "dmesg-");
	if (p->dump && !read_head(p, head))
		p->count = p->number = 0;
	return 0;
}

/* A file that cannot be read stays where it is. arg: the folder's name. */
static bool take_part(const char *name, void *arg)
{
	const char *const *from = arg;
	struct part *p = &cr.part[cr.parts];
	struct err e;

	if (name[0] == '.' || str_copy(p->name, sizeof(p->name), name) < 0)
		return true;
	if (look(*from, p, &e) == 0)
		cr.parts++;
	else
		log_warnx("storage", "%s", e.text);
	return cr.parts < CRASH_FILES;
}

static int look_at_all(const char *from, struct err *e)
{
	int rc = dir_each(from, take_part, &from, e);

	return rc < 0 && e->code == ENOENT ? 0 : rc;
}

/* In the order in which the kernel wrote them: a dump's newest part first. What is no dump comes last. */
static int by_writing(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->dump != y->dump)
		return x->dump ? -1 : 1;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Parts of one dump are numbered upwards; two crashes of early boots may both be "Panic#1". */
static bool same_dump(const struct part *a, const struct part *b)
{
	return a->dump && b->dump && a->count == b->count && a->number < b->number;
}

static void reverse(unsigned first, unsigned end)
{
	while (first + 1 < end) {
		struct part p = cr.part[first];
		cr.part[first++] = cr.part[--end];
		cr.part[end] = p;
	}
}

/* Oldest line first; the index of the last dump's first part. */
static unsigned order(void)
{
	unsigned newest = 0, end;

	qsort(cr.part, cr.parts, sizeof(cr.part[0]), by_writing);
	for (unsigned i = 0; i < cr.parts; i = end) {
		end = i + 1;
		while (end < cr.parts && same_dump(&cr.part[end - 1], &cr.part[end]))
			end++;
		reverse(i, end);
		if (cr.part[i].dump)
			newest = i;
	}
	return newest;
}

/* The first part from which on all fit. */
static unsigned first_that_fits(void)
{
	size_t room = CRASH_TEXT;
	unsigned first = cr.parts;

	while (first > 0 && cr.part[first - 1].size + NAME + 2 <= room) {
		first--;
		room -= cr.part[first].size + NAME + 2;
	}
	return first;
}

/* Only text is kept: it will be shown on terminals. */
static void clean(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f)
			text[i] = '?';
	}
}

/* The text of one part, ended by a newline. */
static int add_part(const char *from, struct part *p, struct err *e)
{
	char path[LIMIT_PATH];
	struct buf b;

	if (path_in(from, p->name, path, e) < 0)
		return -1;
	buf_init(&b, cr.text + cr.len, sizeof(cr.text) - cr.len);
	if (!p->dump)
		buf_addf(&b, "%s:\n", p->name);
	if (!buf_ok(&b) || b.cap - b.len < p->size + 2)
		return err_set(e, EFBIG, "%s: more than " PATH_STATE_CRASH " takes", path);
	ssize_t n = read_some(path, b.data + b.len, p->size, e);
	if (n < 0)
		return -1;
	clean(b.data + b.len, (size_t)n);
	b.len += (size_t)n;
	if (b.len > 0 && b.data[b.len - 1] != '\n')
		buf_add_char(&b, '\n');
	cr.len += b.len;
	return 0;
}

static void collect(const char *from)
{
	unsigned newest = order(), first = first_that_fits();
	struct err e;

	for (unsigned i = 0; i < cr.parts; i++) {
		struct part *p = &cr.part[i];
		if (i == newest)
			cr.newest = cr.len;
		p->done = i < first || add_part(from, p, &e) == 0;
		if (!p->done)
			log_warnx("storage", "%s", e.text);
	}
	if (first > 0)
		log_warnx("storage", "%s: %u older parts are more than " PATH_STATE_CRASH " takes", from, first);
}

static bool is_dump_there(void)
{
	for (unsigned i = 0; i < cr.parts; i++) {
		if (cr.part[i].dump)
			return true;
	}
	return false;
}

/* Of "12.txt"; 0 for any other name. */
static uint64_t number_of(const char *name)
{
	char digits[16];
	uint64_t number;
	const char *dot = strchr(name, '.');

	if (!dot || !str_eq(dot, ".txt") || (size_t)(dot - name) >= sizeof(digits))
		return 0;
	memcpy(digits, name, (size_t)(dot - name));
	digits[dot - name] = '\0';
	return str_u64(digits, NUMBER_MAX, &number) == 0 ? number : 0;
}

static int text_path(uint64_t number, char path[LIMIT_PATH], struct err *e)
{
	if (str_format(path, LIMIT_PATH, PATH_STATE_CRASH "/%" PRIu64 ".txt", number) < 0)
		return err_set(e, ENAMETOOLONG, PATH_STATE_CRASH);
	return 0;
}

static void remove_text(uint64_t number)
{
	char path[LIMIT_PATH];
	struct err e;

	if (text_path(number, path, &e) == 0 && sys_unlink(path) < 0)
		log_warn("storage", "%s", path);
}

struct texts {
	uint64_t last, keep;
};

static bool take_text(const char *name, void *arg)
{
	struct texts *t = arg;
	uint64_t number = number_of(name);

	t->last = number > t->last ? number : t->last;
	if (number > 0 && number < t->keep)
		remove_text(number);
	return true;
}

/* The highest number in use into *last; texts whose number is below `keep` are removed. */
static int scan_texts(uint64_t *last, uint64_t keep, struct err *e)
{
	struct texts t = {0, keep};
	int rc = dir_each(PATH_STATE_CRASH, take_text, &t, e);

	*last = t.last;
	return rc;
}

/* True when the file holds just our text: what a firmware does not let go is kept once, not at every boot. */
static bool is_kept(uint64_t number)
{
	char path[LIMIT_PATH], block[BLOCK];
	size_t at = 0;
	ssize_t n;
	struct err e;

	if (number == 0 || text_path(number, path, &e) < 0)
		return false;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0);
	if (fd < 0)
		return false;
	while ((n = sys_read(fd, block, sizeof(block))) > 0) {
		if ((size_t)n > cr.len - at || memcmp(block, cr.text + at, (size_t)n) != 0)
			break;
		at += (size_t)n;
	}
	sys_close(fd);
	return n == 0 && at == cr.len;
}

static int keep_text(struct crash *c, struct err *e)
{
	char path[LIMIT_PATH];
	uint64_t last, ignored;

	crash_reason(cr.text + cr.newest, cr.len - cr.newest, c->reason);
	if (file_mkdirs(PATH_STATE_CRASH, 0700, e) < 0 || scan_texts(&last, 0, e) < 0)
		return -1;
	if (is_kept(last)) {
		c->reason[0] = '\0';
		return 0;
	}
	uint64_t number = last % NUMBER_MAX + 1;
	if (text_path(number, path, e) < 0 || file_replace(path, cr.text, cr.len, 0600, e) < 0)
		return -1;
	memcpy(c->path, path, sizeof(path));
	/* Too many is not worth an error. */
	if (number > CRASH_KEPT && scan_texts(&ignored, number - CRASH_KEPT + 1, e) < 0)
		log_warnx("storage", "%s", e->text);
	return 0;
}

static int remove_parts(const char *from, struct err *e)
{
	char path[LIMIT_PATH];
	int rc = 0;

	for (unsigned i = 0; i < cr.parts; i++) {
		if (!cr.part[i].done || path_in(from, cr.part[i].name, path, e) < 0)
			continue;
		if (sys_unlink(path) < 0)
			rc = err_sys(e, "unlink %s", path);
	}
	return rc;
}

int crash_keep(const char *from, bool unexpected, struct crash *c, struct err *e)
{
	memset(c, 0, sizeof(*c));
	memset(&cr, 0, sizeof(cr));
	if (look_at_all(from, e) < 0 && cr.parts == 0)
		return -1;
	if (!unexpected && !is_dump_there()) {
		for (unsigned i = 0; i < cr.parts; i++)
			cr.part[i].done = true;
		return remove_parts(from, e);
	}
	collect(from);
	if (cr.len > 0 && keep_text(c, e) < 0)
		return -1;
	return remove_parts(from, e);
}
