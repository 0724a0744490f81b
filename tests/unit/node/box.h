/* A folder that stands for "/": tests of roles that use fixed paths (/state, /run/hearth ...) see and make real files
 * in it. box_up replaces the calls that take a path; what is mounted is said by box_mounted. */
#ifndef HEARTH_TESTS_NODE_BOX_H
#define HEARTH_TESTS_NODE_BOX_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "fake/sys.h"

static char box[] = "/tmp/hearth-test-box-XXXXXX";
#define BOX_MOUNTS 16U

static const char *box_mounts[BOX_MOUNTS];

/* Two results at a time, for rename. */
__attribute__((unused)) static const char *box_path(const char *path)
{
	static char real[2][300];
	static unsigned turn;

	turn ^= 1;
	if (strncmp(path, "/state", 6) && strncmp(path, "/run", 4) && strncmp(path, "/boot", 5) &&
	    strncmp(path, "/etc/hearth", 11) && strncmp(path, "/data", 5) && strncmp(path, "/var", 4) &&
	    strncmp(path, "/sys/f", 6))
		return path;
	(void)snprintf(real[turn], sizeof(real[0]), "%s%s", box, path);
	return real[turn];
}

/* Removes the files of a folder. */
__attribute__((unused)) static void box_empty(const char *folder)
{
	DIR *d = opendir(box_path(folder));
	assert_non_null(d);
	for (struct dirent *f; (f = readdir(d)) != NULL;)
		(void)unlinkat(dirfd(d), f->d_name, 0);
	closedir(d);
}

/* Exactly these files are in it: names with a blank between them, sorted. */
__attribute__((unused)) static void box_holds(const char *folder, const char *want)
{
	struct dirent **list;
	char got[512] = "";
	int n = scandir(box_path(folder), &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.') {
			strcat(got, got[0] ? " " : "");
			strcat(got, list[i]->d_name);
		}
		free(list[i]);
	}
	free(list);
	assert_string_equal(got, want);
}

static int box_open(const char *path, int flags, mode_t mode)
{
	return open(box_path(path), flags, mode);
}

static int box_rename(const char *from, const char *to)
{
	const char *a = box_path(from);

	return rename(a, box_path(to));
}

static int box_unlink(const char *path)
{
	return unlink(box_path(path));
}

static int box_mkdir(const char *path, mode_t mode)
{
	return mkdir(box_path(path), mode);
}

static int box_chmod(const char *path, mode_t mode)
{
	return chmod(box_path(path), mode);
}

static int box_stat(const char *path, struct stat *st)
{
	int rc = stat(box_path(path), st);

	for (unsigned i = 0; i < BOX_MOUNTS && rc == 0; i++) {
		if (box_mounts[i] && strcmp(box_mounts[i], path) == 0)
			st->st_dev ^= 0x100;
	}
	return rc;
}

__attribute__((unused)) static void box_mounted(const char *path)
{
	unsigned i = 0;

	while (i < BOX_MOUNTS - 1 && box_mounts[i])
		i++;
	box_mounts[i] = path;
}

__attribute__((unused)) static void box_write(const char *path, const char *text)
{
	int fd = open(box_path(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

__attribute__((unused)) static bool box_exists(const char *path)
{
	return access(box_path(path), F_OK) == 0;
}

/* The whole file; "" when there is none. */
__attribute__((unused)) static const char *box_read(const char *path)
{
	static char text[2048];
	int fd = open(box_path(path), O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

__attribute__((unused)) static void box_calls(void)
{
	fake_open = box_open;
	fake_rename = box_rename;
	fake_unlink = box_unlink;
	fake_mkdir = box_mkdir;
	fake_chmod = box_chmod;
	fake_stat = box_stat;
}

/* What the code logs goes nowhere: tests look at results. */
__attribute__((unused)) static int box_up(void **state)
{
	static const char *const folders[] = {"/state",
	                                      "/run",
	                                      "/run/hearth",
	                                      "/boot",
	                                      "/etc",
	                                      "/etc/hearth",
	                                      "/data",
	                                      "/var",
	                                      "/var/log",
	                                      "/var/log/hearth",
	                                      "/sys",
	                                      "/sys/fs",
	                                      "/sys/fs/pstore",
	                                      "/sys/firmware",
	                                      "/sys/firmware/efi",
	                                      "/sys/firmware/efi/efivars"};
	static int nowhere = -1;

	(void)state;
	fake_reset();
	memset(box_mounts, 0, sizeof(box_mounts));
	strcpy(box, "/tmp/hearth-test-box-XXXXXX");
	assert_non_null(mkdtemp(box));
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char path[300];
		(void)snprintf(path, sizeof(path), "%s%s", box, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_init("test", nowhere, 0);
	box_calls();
	return 0;
}

__attribute__((unused)) static int box_down(void **state)
{
	char command[64];

	(void)state;
	fake_reset();
	(void)snprintf(command, sizeof(command), "rm -rf %s", box);
	return system(command);
}

#endif
