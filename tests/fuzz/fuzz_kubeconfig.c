/* kube/credentials: what is taken is an https address and three PEM texts, what is refused is told with file and line
 * and changes nothing. Files that a kubeconfig names are not opened here. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "fake/sys.h"
#include "fuzz/check.h"
#include "kube/credentials.h"

static struct yaml y;
static struct credentials c;

static int no_open(const char *path, int flags, mode_t mode)
{
	(void)path, (void)flags, (void)mode;
	errno = ENOENT;
	return -1;
}

static void check_pem(const struct credentials_pem *pem)
{
	FUZZ_CHECK(pem->len > 0 && pem->len < CREDENTIALS_PEM && strlen(pem->text) == pem->len);
	FUZZ_CHECK(strstr(pem->text, "-----BEGIN "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};

	fake_open = no_open;
	c = (struct credentials){.server = "before"};
	if (credentials_parse(&c, &y, "k.yaml", (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(str_starts(e.text, "k.yaml:"));
		FUZZ_CHECK(str_eq(c.server, "before") && c.ca.len + c.cert.len + c.key.len == 0);
		return 0;
	}
	FUZZ_CHECK(str_starts(c.server, "https://") && !strpbrk(c.server + 8, " /\r\n\t@?#"));
	check_pem(&c.ca);
	check_pem(&c.cert);
	check_pem(&c.key);
	return 0;
}
