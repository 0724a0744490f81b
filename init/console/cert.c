/* Makes the key and the certificate of the HTTPS console. Runs in the cert role, as root, once per boot.
 * Never replaces a pair that works: people have told their browsers to trust it. */
#include "console/cert.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/sys.h"
#include "board.h"
#include "console/cert_pair.h"

#define KEY_FILE  PATH_STATE_TLS "/key.pem"
#define CERT_FILE PATH_STATE_TLS "/cert.pem"

#define NAME_FILE PATH_PROC_SYS "/kernel/hostname"

/* The box's name as the kernel has it; PID 1 set it from the settings before this role starts. */
static const char *get_hostname(struct buf *b)
{
	struct err e;
	if (file_read(NAME_FILE, b, &e) || b->len < 2 || b->data[0] == '(') /* "(none)": nobody set it */
		return "hearth";
	b->data[strcspn(b->data, "\n")] = '\0';
	return b->data;
}

/* The key first: a power cut in between leaves a pair that does not match, and the next boot makes a new one. */
static int make(struct err *e)
{
	char text[HOST_NAME_MAX + 2];
	struct cert_pem pem;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	const char *hostname = get_hostname(&b);
	int rc = cert_pair_make(hostname, BOARD_EPOCH, &pem, e);
	if (!rc)
		rc = file_mkdirs(PATH_STATE_TLS, 0700, e);
	if (!rc)
		rc = file_replace(KEY_FILE, pem.key, strlen(pem.key), 0600, e);
	if (!rc)
		rc = file_replace(CERT_FILE, pem.cert, strlen(pem.cert), 0644, e);
	cert_wipe(&pem, sizeof(pem));
	if (!rc)
		log_info("cert", "made a key and a certificate for %s", hostname);
	return rc;
}

int cert_main(int argc, char **argv)
{
	struct cert_pair pair;
	struct err e = {0};
	(void)argv;
	log_init("cert", STDERR_FILENO, 0);
	if (argc > 1) {
		log_errx("cert", "takes no arguments");
		return EXIT_USAGE;
	}
	int rc = cert_pair_load(PATH_STATE_TLS, &pair, &e);
	cert_wipe(&pair, sizeof(pair));
	if (!rc)
		return 0;
	struct stat st;
	bool first = sys_stat(KEY_FILE, &st) < 0 && errno == ENOENT;
	if (!first)
		log_warnx("cert", "%s: making a new pair", e.text);
	err_clear(&e);
	if (!make(&e))
		return 0;
	log_errx("cert", "%s", e.text);
	return 1;
}
