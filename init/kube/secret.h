/* A Secret's stringData, which the server keeps as data: what we own is recorded of the fields that we send, so a
 * change of data by somebody else would not be seen. Pure. */
#ifndef HEARTH_KUBE_SECRET_H
#define HEARTH_KUBE_SECRET_H

#include <stddef.h>

#include "base/err.h"

/* The JSON of a Secret with its stringData in base64 over its data, as the server merges them. *len: of json, then of
 * the result, which the caller frees. NULL with e: no JSON, fields that are not what a Secret has, no memory. */
char *secret_data(const char *json, size_t *len, struct err *e);

#endif
