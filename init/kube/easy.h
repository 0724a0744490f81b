/* A request as a handle of libcurl: address, method, headers, body, who we are and what we accept of the connection. */
#ifndef HEARTH_KUBE_EASY_H
#define HEARTH_KUBE_EASY_H

#include <curl/curl.h>

#include "kube/call.h"
#include "kube/credentials.h"

/* The handle, without callbacks, or NULL: out of memory. The caller cleans up both: *headers belong to the handle while
 * it lives, and are set also on failure. Credentials and a body are borrowed. */
CURL *easy_new(const struct credentials *k, const struct kclient_request *r, struct curl_slist **headers);

#endif
