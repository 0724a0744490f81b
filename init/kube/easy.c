/* Options of libcurl for a call to the API server. Runs in the kube role. */
#include "kube/easy.h"

#include "base/str.h"

#define CHUNK        16384 /* what curl reads at a time */
#define KEEP_ALIVE_S 30    /* a connection without traffic is asked for life */

/* "Name: value" behind the others. */
static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
	char line[LIMIT_DETAIL + KCLIENT_ETAG];

	if (str_format(line, sizeof(line), "%s: %s", name, value) < 0)
		return false;
	struct curl_slist *more = curl_slist_append(*headers, line);
	if (more)
		*headers = more;
	return more != NULL;
}

static bool set_headers(CURL *easy, const struct kclient_request *r, struct curl_slist **headers)
{
	return add_header(headers, "Accept", r->accept ? r->accept : "application/json") &&
	       (!r->type || add_header(headers, "Content-Type", r->type)) &&
	       (!r->etag || add_header(headers, "If-None-Match", r->etag)) &&
	       /* Without a value curl leaves it out: a wait for "100 Continue" is of no use here. */
	       add_header(headers, "Expect", "") && !curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
}

static bool set_numbers(CURL *easy)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS},
		{CURLOPT_PIPEWAIT, 1}, /* rather wait for the first connection's handshake than make another */
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		{CURLOPT_BUFFERSIZE, CHUNK},
		{CURLOPT_UPLOAD_BUFFERSIZE, CHUNK},
		{CURLOPT_PATH_AS_IS, 1},
		{CURLOPT_TCP_KEEPALIVE, 1},
		{CURLOPT_TCP_KEEPIDLE, KEEP_ALIVE_S},
		{CURLOPT_TCP_KEEPINTVL, KEEP_ALIVE_S / 3},
		{CURLOPT_TCP_KEEPCNT, 3},
	};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (curl_easy_setopt(easy, numbers[i].option, numbers[i].value))
			return false;
	}
	return true;
}

/* curl reads a blob that is not copied only while it makes a connection; the credentials outlive the client. */
static bool set_blob(CURL *easy, CURLoption option, const struct credentials_pem *pem, size_t terminator)
{
	struct curl_blob blob = {
		.data = (void *)(uintptr_t)pem->text, .len = pem->len + terminator, .flags = CURL_BLOB_NOCOPY};

	return !curl_easy_setopt(easy, option, &blob);
}

static bool set_login(CURL *easy, const struct credentials *k)
{
	/* Certificates are copied with a terminator; of the key curl hands mbedTLS
	 * what it got, and that wants one. */
	return set_blob(easy, CURLOPT_CAINFO_BLOB, &k->ca, 0) && set_blob(easy, CURLOPT_SSLCERT_BLOB, &k->cert, 0) &&
	       set_blob(easy, CURLOPT_SSLKEY_BLOB, &k->key, 1);
}

static bool set_request(CURL *h, const struct credentials *k, const struct kclient_request *r)
{
	char url[LIMIT_PATH + KCLIENT_PATH];

	if (str_format(url, sizeof(url), "%s%s", k->server, r->path) < 0)
		return false;
	if (curl_easy_setopt(h, CURLOPT_URL, url) || curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, r->method) ||
	    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https") || curl_easy_setopt(h, CURLOPT_USERAGENT, "hearth"))
		return false;
	return !r->body || (!curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len) &&
	                    !curl_easy_setopt(h, CURLOPT_POSTFIELDS, r->body));
}

CURL *easy_new(const struct credentials *k, const struct kclient_request *r, struct curl_slist **headers)
{
	CURL *easy = curl_easy_init();

	if (easy && set_numbers(easy) && set_login(easy, k) && set_request(easy, k, r) && set_headers(easy, r, headers))
		return easy;
	curl_easy_cleanup(easy);
	return NULL;
}
