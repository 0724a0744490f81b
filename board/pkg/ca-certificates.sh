# Root certificates that images trust, as Mozilla and the distribution choose them, in one file.
# Output: etc/ssl/certs/ca-certificates.crt, usr/share/doc.
deb=ca-certificates
licence=MPL-2.0
build() {
	mkdir -p "$OUT/etc/ssl/certs" "$OUT/usr/share/doc/ca-certificates"
	cat usr/share/ca-certificates/mozilla/*.crt >"$OUT/etc/ssl/certs/ca-certificates.crt"
	cp usr/share/doc/ca-certificates/copyright "$OUT/usr/share/doc/ca-certificates/"
}
