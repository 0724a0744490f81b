/* The files of the HTTPS console that are part of the program: the page and its icon, made into build/gen/assets.h by
 * console/assets/embed.py, with the hashes by which the Content-Security-Policy admits the page's own style and script
 * and nothing else. */
#ifndef HEARTH_CONSOLE_WEB_ASSET_H
#define HEARTH_CONSOLE_WEB_ASSET_H

#include <stddef.h>

#include "assets.h"

extern const char web_asset_page[];
extern const size_t web_asset_page_len;
extern const char web_asset_icon[];
extern const size_t web_asset_icon_len;

#endif
