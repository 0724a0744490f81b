/* Reads figures about the machine; see sysinfo.h. Used by PID 1 for `status`; changes nothing, waits for nothing. */
#include "host/sysinfo.h"

#include <string.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define MEMINFO_TEXT 4096

/* Takes the digits at *p and moves it behind them. */
static uint64_t digits(const char **p)
{
	uint64_t v = 0;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		v = v > UINT64_MAX / 16 ? v : v * 10 + (uint64_t)(**p - '0');
	return v;
}

static uint64_t kib_of(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	if (p == NULL)
		return 0;
	p += strlen(key);
	p += strspn(p, " ");
	return digits(&p);
}

void sysinfo_meminfo(const char *text, struct sysinfo_memory *m)
{
	m->total = kib_of(text, "MemTotal:") * 1024;
	m->available = kib_of(text, "MemAvailable:") * 1024;
}

void sysinfo_memory(struct sysinfo_memory *m)
{
	char text[MEMINFO_TEXT] = "";
	struct buf b;
	struct err e;
	buf_init(&b, text, sizeof(text));
	memset(m, 0, sizeof(*m));
	if (file_read(PATH_PROC_MEMINFO, &b, &e) == 0)
		sysinfo_meminfo(text, m);
}

void sysinfo_load(char dst[SYSINFO_LOAD])
{
	char text[64] = "";
	struct buf b;
	struct err e;
	dst[0] = '\0';
	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_PROC_LOADAVG, &b, &e) < 0)
		return;
	text[strcspn(text, " \n")] = '\0';
	if (str_copy(dst, SYSINFO_LOAD, text) < 0)
		dst[0] = '\0';
}

unsigned sysinfo_cpu_list(const char *text)
{
	uint64_t n = 0;
	const char *p = text;
	while (*p >= '0' && *p <= '9') {
		uint64_t from = digits(&p), to = from;
		if (*p == '-') {
			p++;
			to = digits(&p);
		}
		n += to >= from && to - from < 65536 ? to - from + 1 : 0;
		if (*p == ',')
			p++;
	}
	return (unsigned)n;
}

unsigned sysinfo_cpus(void)
{
	char text[256] = "";
	struct buf b;
	struct err e;
	buf_init(&b, text, sizeof(text));
	return file_read(PATH_SYS_CPUS, &b, &e) == 0 ? sysinfo_cpu_list(text) : 0;
}

int sysinfo_disk(const char *path, uint64_t *total, uint64_t *available, struct err *e)
{
	struct statvfs st;
	if (sys_statvfs(path, &st) < 0)
		return err_sys(e, "statvfs %s", path);
	*total = (uint64_t)st.f_blocks * st.f_frsize;
	*available = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

uint64_t sysinfo_number(const char *path)
{
	char text[32] = "";
	const char *p = text;
	struct buf b;
	struct err e;
	buf_init(&b, text, sizeof(text));
	return file_read(path, &b, &e) == 0 ? digits(&p) : 0;
}
