/* format/json: any bytes as a string come out as printable ASCII that is one valid JSON string; ASCII comes back as it
 * was. */
#include <string.h>

#include "base/str.h"
#include "format/json.h"
#include "fuzz/check.h"

#define TEXT_MAX 4096

static unsigned hex4(const char *p)
{
	unsigned v = 0;

	for (unsigned i = 0; i < 4; i++) {
		const char *digit = strchr("0123456789abcdef", p[i]);
		FUZZ_CHECK(p[i] != '\0' && digit);
		v = v * 16 + (unsigned)(digit - "0123456789abcdef");
	}
	return v;
}

/* One character of a JSON string; *p moves behind it. */
static unsigned take(const char **p)
{
	static const char letter[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
	const char *s = *p;

	FUZZ_CHECK(*s >= ' ' && *s <= '~' && *s != '"');
	if (*s != '\\') {
		*p = s + 1;
		return (unsigned char)*s;
	}
	if (s[1] == 'u') {
		*p = s + 6;
		return hex4(s + 2);
	}
	FUZZ_CHECK(s[1] != '\0' && strchr(letter, s[1]));
	*p = s + 2;
	return (unsigned char)plain[strchr(letter, s[1]) - letter];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TEXT_MAX], out[6 * TEXT_MAX + 3];
	struct buf b;
	struct json j;
	bool ascii = true;

	size = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	for (const char *p = text; *p; p++)
		ascii &= (unsigned char)*p < 0x80;
	buf_init(&b, out, sizeof(out));
	json_init(&j, &b);
	json_string(&j, NULL, text);
	FUZZ_CHECK(json_ok(&j)); /* no character takes more than six */
	const char *p = out, *want = text;
	FUZZ_CHECK(*p++ == '"');
	while (*p != '"') {
		unsigned c = take(&p);
		FUZZ_CHECK(!ascii || c == (unsigned char)*want++);
		if (c >= 0xD800 && c < 0xDC00) /* a surrogate has its second half behind it */
			FUZZ_CHECK(*p == '\\' && take(&p) >= 0xDC00);
		else
			FUZZ_CHECK(c < 0xDC00 || c > 0xDFFF);
	}
	FUZZ_CHECK(p[1] == '\0' && (!ascii || *want == '\0'));
	return 0;
}
