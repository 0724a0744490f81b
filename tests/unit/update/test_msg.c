/* init/update/msg.c over a real pair of sockets: what is whole comes through, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "loop/chan.h"
#include "update/msg.h"

static struct err e;
static int fds[2];
static struct msg m, got;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&m, 0, sizeof(m));
	memset(&got, 0x55, sizeof(got));
	return chan_pair(fds, &e);
}

static int teardown(void **state)
{
	(void)state;
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static void each_kind_comes_through(void **state)
{
	(void)state;
	for (uint32_t kind = MSG_MANIFEST; kind <= MSG_RESUME; kind++) {
		m.kind = kind;
		assert_int_equal(msg_send(fds[0], &m, -1, &e), 0);
		assert_int_equal(msg_recv(fds[1], &got, NULL, &e), 1);
		assert_int_equal(got.kind, kind);
	}
	assert_int_equal(msg_recv(fds[1], &got, NULL, &e), -1);
	assert_int_equal(e.code, EAGAIN);
	shutdown(fds[0], SHUT_RDWR);
	assert_int_equal(msg_recv(fds[1], &got, NULL, &e), 0);
}

static void fields_come_through(void **state)
{
	(void)state;
	m.kind = MSG_PROGRESS;
	m.progress = (struct msg_progress){MSG_CHECK_PHASE, 1, 2, UINT64_C(1) << 40};
	assert_int_equal(msg_send(fds[0], &m, -1, &e), 0);
	assert_int_equal(msg_recv(fds[1], &got, NULL, &e), 1);
	assert_memory_equal(&got.progress, &m.progress, sizeof(m.progress));
	assert_string_equal(msg_phase_name(got.progress.phase), "reading back");
	assert_string_equal(msg_phase_name(MSG_PHASE_COUNT), "");
}

static void a_descriptor_comes_along(void **state)
{
	int fd = -1, file = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	m.kind = MSG_KERNEL;
	assert_int_equal(msg_send(fds[0], &m, file, &e), 0);
	assert_int_equal(msg_recv(fds[1], &got, &fd, &e), 1);
	assert_true(fd >= 0);
	close(fd);
	/* The conductor takes none. */
	unsigned before = fake_open_fds();
	assert_int_equal(msg_send(fds[0], &m, file, &e), 0);
	assert_int_equal(msg_recv(fds[1], &got, NULL, &e), 1);
	assert_int_equal(fake_open_fds(), before);
	close(file);
}

static void what_is_not_whole_is_refused(void **state)
{
	static const uint32_t kinds[] = {MSG_NONE, MSG_RESUME + 1, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		m.kind = kinds[i];
		assert_int_equal(msg_send(fds[0], &m, -1, &e), -1);
		assert_int_equal(msg_check(&m, sizeof(m), &e), -1);
	}
	m.kind = MSG_DONE;
	size_t right = offsetof(struct msg, done) + sizeof(m.done);
	assert_int_equal(msg_check(&m, right, &e), 0);
	assert_int_equal(msg_check(&m, right - 1, &e), -1);
	assert_int_equal(msg_check(&m, right + 1, &e), -1);
	assert_int_equal(msg_check(&m, 3, &e), -1);
	assert_int_equal(e.code, EPROTO);
}

static void texts_must_end(void **state)
{
	static const struct {
		uint32_t kind;
		size_t at, size;
	} texts[] = {
#define FIELD(kind, path) {kind, offsetof(struct msg, path), sizeof(((struct msg *)0)->path)}
		FIELD(MSG_WAITING, waiting.why),
		FIELD(MSG_FAILED, failed.why),
	};
	static const size_t sizes[] = {
		[MSG_MANIFEST] = offsetof(struct msg, manifest) + sizeof(struct msg_manifest),
		[MSG_WAITING] = offsetof(struct msg, waiting) + sizeof(struct msg_waiting),
		[MSG_FAILED] = offsetof(struct msg, failed) + sizeof(struct msg_failed),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&m, 0, sizeof(m));
		m.kind = texts[i].kind;
		memset((char *)&m + texts[i].at, 'x', texts[i].size - 1);
		assert_int_equal(msg_check(&m, sizes[m.kind], &e), 0);
		*((char *)&m + texts[i].at + texts[i].size - 1) = 'x';
		assert_int_equal(msg_check(&m, sizes[m.kind], &e), -1);
	}
	memset(&m, 0, sizeof(m));
	m.kind = MSG_MANIFEST;
	m.manifest.text_len = sizeof(m.manifest.text);
	m.manifest.sig_len = sizeof(m.manifest.sig);
	assert_int_equal(msg_check(&m, sizes[MSG_MANIFEST], &e), 0);
	m.manifest.text_len++;
	assert_int_equal(msg_check(&m, sizes[MSG_MANIFEST], &e), -1);
	m.manifest.text_len = 0;
	m.manifest.sig_len++;
	assert_int_equal(msg_check(&m, sizes[MSG_MANIFEST], &e), -1);
	memset(&m, 0, sizeof(m));
	m.kind = MSG_PROGRESS;
	m.progress.phase = MSG_PHASE_COUNT;
	assert_int_equal(msg_check(&m, offsetof(struct msg, progress) + sizeof(m.progress), &e), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_kind_comes_through),      T(fields_come_through), T(a_descriptor_comes_along),
		T(what_is_not_whole_is_refused), T(texts_must_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
