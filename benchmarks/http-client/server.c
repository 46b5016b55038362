/*
 * The server of the suite `http-client`: one thread, epoll, so that it is never what is measured. It knows of HTTP as much as
 * the clients of this suite say: requests that are not pipelined, heads that come within 16 KiB, bodies with a Content-Length.
 *
 *     GET /        13 bytes of text
 *     GET /body    1 GiB
 *     POST         the number of bytes that its body has, as text
 *
 * It prints a line of JSON with its port and its process id, and ends when its standard input ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 256,
  BACKLOG = 4096,
  HEAD_BYTES_MAX = 16 * 1024,
  PIECE_BYTES = 256 * 1024,
};

#define BODY_BYTES (1024ull * 1024 * 1024)

struct connection {
  int fd;
  size_t filled;           /* of the head that is being read */
  uint64_t body;           /* of the request, all of it */
  uint64_t missing;        /* of it */
  uint64_t to_send;        /* of the large body */
  int answers_count;       /* the request is a POST whose body is being read */
  char head[HEAD_BYTES_MAX + 1];
};

static int epoll_fd;
static char piece[PIECE_BYTES];
static char sink[PIECE_BYTES];

static const char GREETING[] =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\nContent-Length: 13\r\n\r\nHello, world!";

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("server: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(1);
}

static void drop(struct connection *connection) {
  close(connection->fd);
  free(connection);
}

/* Small answers fit into an empty socket's buffer. */
static int send_small(struct connection *connection, const char *text, size_t length) {
  return send(connection->fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static int send_large(struct connection *connection) {
  while (connection->to_send > 0) {
    size_t count = connection->to_send < PIECE_BYTES ? (size_t)connection->to_send : PIECE_BYTES;
    ssize_t n = send(connection->fd, piece, count, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return 1;
    if (n < 0) return 0;
    connection->to_send -= (uint64_t)n;
  }
  return 1;
}

static int answer_count(struct connection *connection) {
  char digits[32], text[160];
  int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)connection->body);
  length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", length, digits);
  connection->answers_count = 0;
  return send_small(connection, text, (size_t)length);
}

/* Answers the request whose head ends at `end`; keeps nothing behind it but what belongs to its body. */
static int answer(struct connection *connection, char *end) {
  size_t early = connection->filled - (size_t)(end + 4 - connection->head);
  connection->filled = 0;
  *end = 0;
  if (strncmp(connection->head, "GET /body ", 10) == 0) {
    char text[96];
    int length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", BODY_BYTES);
    connection->to_send = BODY_BYTES;
    return send_small(connection, text, (size_t)length) && send_large(connection);
  }
  if (strncmp(connection->head, "GET ", 4) == 0)
    return early == 0 && send_small(connection, GREETING, sizeof GREETING - 1);
  const char *field = strcasestr(connection->head, "\r\ncontent-length:");
  if (field == NULL) return 0;
  connection->body = strtoull(field + strlen("\r\ncontent-length:"), NULL, 10);
  if (early > connection->body) return 0;
  connection->missing = connection->body - early;
  connection->answers_count = 1;
  return connection->missing > 0 || answer_count(connection);
}

static int receive(struct connection *connection) {
  for (;;) {
    if (connection->answers_count) {
      size_t count = connection->missing < PIECE_BYTES ? (size_t)connection->missing : PIECE_BYTES;
      ssize_t n = recv(connection->fd, sink, count, 0);
      if (n < 0 && errno == EAGAIN) return 1;
      if (n <= 0) return 0;
      connection->missing -= (uint64_t)n;
      if (connection->missing == 0 && !answer_count(connection)) return 0;
      continue;
    }
    ssize_t n = recv(connection->fd, connection->head + connection->filled, HEAD_BYTES_MAX - connection->filled, 0);
    if (n < 0 && errno == EAGAIN) return 1;
    if (n <= 0) return 0;
    size_t before = connection->filled > 3 ? connection->filled - 3 : 0;
    connection->filled += (size_t)n;
    connection->head[connection->filled] = 0;
    char *end = strstr(connection->head + before, "\r\n\r\n");
    if (end == NULL && connection->filled == HEAD_BYTES_MAX) return 0;
    if (end != NULL && !answer(connection, end)) return 0;
    /* A read that does not fill the room has emptied the socket. */
    if (!connection->answers_count && (size_t)n < HEAD_BYTES_MAX - connection->filled) return 1;
  }
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && errno == EAGAIN) return;
    if (fd < 0) fail("accept: %s", strerror(errno));
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) fail("no memory for a connection");
    connection->fd = fd;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
  }
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  memset(piece, 'a', sizeof piece);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(listener, BACKLOG) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
    fail("cannot listen: %s", strerror(errno));
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = piece};
  if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &listening) != 0 ||
      epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &input) != 0)
    fail("epoll: %s", strerror(errno));
  printf("{\"port\":%d,\"pid\":%d}\n", ntohs(address.sin_port), getpid());
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) {
        accept_all(listener);
      } else if (events[i].data.ptr == piece) {
        if (read(STDIN_FILENO, sink, sizeof sink) <= 0) return 0;
      } else {
        struct connection *connection = events[i].data.ptr;
        if (!send_large(connection) || !receive(connection)) drop(connection);
      }
    }
  }
}
