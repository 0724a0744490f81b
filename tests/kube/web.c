/* The sample pod's program. Without arguments: answers every connection to port 8080. With ADDRESS PORT: prints what
 * that answers. With a third word: only says "open" if it connects. A dead end is given up after 3 s. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve(void)
{
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(8080)};
	char name[64] = "", page[256], request[2048];
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(listener, 16) < 0)
		return 1;
	(void)gethostname(name, sizeof(name) - 1);
	int length = snprintf(page, sizeof(page), "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello from %s\n", name);
	for (;;) {
		int peer = accept(listener, NULL, NULL);
		if (peer < 0)
			continue;
		if (read(peer, request, sizeof(request)) > 0)
			(void)!write(peer, page, (size_t)length);
		close(peer);
	}
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc < 3)
		return serve();
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10))};
	char answer[1024];
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	alarm(3);
	if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 1;
	if (argc > 3)
		return puts("open") < 0;
	if (write(fd, request, sizeof(request) - 1) < 0)
		return 1;
	while ((n = read(fd, answer, sizeof(answer))) > 0)
		(void)!write(STDOUT_FILENO, answer, (size_t)n);
	return 0;
}
