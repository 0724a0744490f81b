/* Everything that the HTTPS server has, in one struct. For the files that conduct it (web_server, web_answer,
 * web_owner); what they conduct knows its own part alone. */
#ifndef HEARTH_CONSOLE_WEB_STATE_H
#define HEARTH_CONSOLE_WEB_STATE_H

#include "console/web_conn.h"
#include "console/web_feed.h"
#include "console/web_link.h"
#include "console/web_pump.h"
#include "console/web_upload.h"

struct lws_vhost;

struct web_server {
	struct loop *loop;
	struct web_link *link;
	int listen_fd;
	struct lws_vhost *vhost;
	struct web_pump pump;
	struct web_feed feed;
	struct web_conns conns;
	struct web_upload upload;
	struct web_conn *uploader;  /* whose it is; NULL: none under way */
	struct loop_timer deadline; /* of whichever connection comes first */
	struct loop_timer beat;     /* signs of life on the streams */
	struct loop_timer leave;    /* how long answers are waited for at the end */
	bool leaving;
	unsigned complaints; /* lines of the library that were logged in this minute */
	uint64_t complaints_since;
};

#endif
