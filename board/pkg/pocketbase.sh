# Web application of the namespace utils: a small backend with its own admin page. Output: bin/pocketbase.
go=yes
inputs=board/go/pocketbase
licence=MIT
build() { go_build pocketbase ./go/pocketbase; }
