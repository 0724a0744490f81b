/* The bytes of the page and its icon. Read by the web role. Holds no code. */
#include "console/web_asset.h"

const char web_asset_page[] = WEB_ASSET_PAGE;
const size_t web_asset_page_len = sizeof(web_asset_page) - 1;
const char web_asset_icon[] = WEB_ASSET_ICON;
const size_t web_asset_icon_len = sizeof(web_asset_icon) - 1;
