/* Names of the facts that tell how apps are. Pure. */
#include "kube/facts.h"

#include <string.h>

#include "base/buf.h"

void facts_app_name(const char *app, char name[LIMIT_NAME])
{
	static const char fits[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	struct buf b;
	buf_init(&b, name, LIMIT_NAME);
	buf_add(&b, "app-");
	for (; *app; app++)
		buf_add_char(&b, strchr(fits, *app) ? *app : '-');
}
