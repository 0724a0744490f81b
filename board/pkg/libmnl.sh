# Netlink messages, for iptables and ipset. The static library as the distribution built it: mirrors lack the source.
# It was made for glibc; of glibc alone it (and libnftnl) wants two names, which are put in beside it.
deb=libmnl-dev
licence=LGPL-2.1-or-later
build() {
	mkdir -p "$OUT/lib" "$OUT/include"
	cp -R usr/include/libmnl "$OUT/include/"
	cp usr/lib/x86_64-linux-gnu/libmnl.a "$OUT/lib/"
	cat >fortify.c <<-'EOF'
		#include <stdarg.h>
		#include <stdio.h>
		#include <stdlib.h>

		int __fprintf_chk(FILE *f, int flag, const char *format, ...)
		{
			(void)flag;
			va_list args;
			va_start(args, format);
			int n = vfprintf(f, format, args);
			va_end(args);
			return n;
		}

		int __snprintf_chk(char *to, size_t max, int flag, size_t room, const char *format, ...)
		{
			(void)flag;
			if (max > room)
				abort();
			va_list args;
			va_start(args, format);
			int n = vsnprintf(to, max, format, args);
			va_end(args);
			return n;
		}
	EOF
	# shellcheck disable=SC2086 # words
	$CC $CFLAGS -c fortify.c
	ar Dr "$OUT/lib/libmnl.a" fortify.o 2>/dev/null
}
