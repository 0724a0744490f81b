/* Every cap of the program, with its reason. PID 1 takes memory only for these. */
#ifndef HEARTH_BASE_LIMITS_H
#define HEARTH_BASE_LIMITS_H

#define LIMIT_NAME   32   /* service, fact, command names: fits a column at 80x24 */
#define LIMIT_PATH   256  /* our own paths are short and fixed */
#define LIMIT_DETAIL 160  /* one human sentence beside a state */
#ifndef LIMIT_SERVICES    /* the start benchmark builds with more */
#define LIMIT_SERVICES 64 /* a home platform's system services; workloads are pods */
#endif
#define LIMIT_ARGS     24   /* argv of a service */
#define LIMIT_ARG_TEXT 1024 /* all strings of a service's lists together */
#define LIMIT_ENV      16   /* environment entries of a service */
#define LIMIT_DEPS     12   /* names in one dependency list */
#ifndef LIMIT_FACTS
#define LIMIT_FACTS 128 /* named facts: one per service and some for the box */
#endif
#define LIMIT_EVENTS     256   /* remembered events, about 50 KiB */
#define LIMIT_YAML_NODES 2048  /* nodes of one of our own files */
#define LIMIT_YAML_DEPTH 8     /* nesting of one of our own files */
#define LIMIT_FILE       65536 /* bytes of one of our own files */
#define LIMIT_REQUEST    1024  /* bytes of a command request */
#define LIMIT_REPLY      32768 /* bytes of one reply frame: LIMIT_SERVICES lines of JSON fit */
#define LIMIT_PEERS      16    /* control connections at a time */
#define LIMIT_FDS        256   /* descriptors in one loop */
#ifndef LIMIT_CHILDREN
#define LIMIT_CHILDREN 96 /* children of PID 1 at a time: services and helpers */
#endif
#define LIMIT_LOG_LINE  1024        /* bytes of one line of a service's output: longer than people read */
#define LIMIT_LOG_FILE  (1 << 20)   /* bytes of one log file: days of a service that behaves */
#define LIMIT_LOG_EARLY (128 << 10) /* the same while logs are in memory, before the data partition is there */
#define LIMIT_LOG_OLD   2           /* older files kept: all logs together stay below LIMIT_SERVICES * 3 MiB */

#endif
