/* console/render_snapshots: copies of volumes, through console/render. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "rendered.h"

static void copies(void **state)
{
	static const char json[] =
		"{\"snapshots\":[{\"name\":\"htpc/htpc-pvc\",\"volume\":\"pvc-1_htpc_htpc-pvc\",\"taken\":"
		"\"2025-11-24T16:00:00Z\",\"size\":3221225472,\"why\":\"before version 0.2.0\",\"restore\":true},"
		"{\"name\":\"utils/notes:newer\",\"volume\":\"pvc-2_utils_notes\",\"restore\":false}],"
		"\"next\":\"asked for by hand\",\"update\":\"before version 0.3.0\"}";

	(void)state;
	assert_string_equal(
		render("snapshots", json, 100),
		"NAME               TAKEN                 SIZE  WHY\n"
		"htpc/htpc-pvc      2025-11-24 16:00   3.0 GiB  before version 0.2.0; goes back at the next start\n"
		"utils/notes:newer  -                      0 B  \n"
		"At the next start every volume is copied: asked for by hand\n"
		"At the first start of the new version every volume is copied: before version 0.3.0\n");
}

static void none(void **state)
{
	(void)state;
	assert_non_null(strstr(render("snapshots", "{\"snapshots\":[]}", 80), "'snapshots take' makes some"));
	assert_null(strstr(render("snapshots", "{\"snapshots\":[],\"next\":\"x\"}", 80), "makes some"));
	assert_string_equal(render("snapshots", "{\"message\":\"done\"}", 80), "done\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests_name("render_snapshots", tests, NULL, NULL);
}
