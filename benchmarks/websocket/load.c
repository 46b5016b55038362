/*
 * The load generator of the suite `websocket`: one thread, epoll, so that it is never what is measured.
 *
 *     load PORT CONNECTIONS
 *
 * It opens so many WebSockets, keeps one text message of 64 bytes outstanding on each, and obeys lines on its standard input: a
 * number of milliseconds to work. Each is answered by `{"operations":N,"seconds":S}` when all echoes have come; the end of
 * input ends it.
 *
 * Every message differs from the one before, is masked by another key, and its echo is compared byte by byte.
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
#include <time.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 256,
  CONNECTIONS_MAX = 1024,
  /* A server that does not answer for so long hangs. */
  SILENCE_MS_MAX = 10000,
  HEAD_BYTES_MAX = 4096,
  MESSAGE_BYTES = 64,
  /* The lengths of heads of frames: of a client's, which has a mask, and of a server's. */
  SENT_HEAD_BYTES = 6,
  RECEIVED_HEAD_BYTES = 2,
  ECHO_BYTES = RECEIVED_HEAD_BYTES + MESSAGE_BYTES,
};

struct connection {
  int fd;
  uint32_t stamp;
  size_t received;
  unsigned char expected[ECHO_BYTES];
  unsigned char echo[ECHO_BYTES];
};

static int port;
static int epoll_fd;
static struct connection connections[CONNECTIONS_MAX];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(1);
}

static double now_s(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Blocking, since it is not measured. Compression is not offered. */
static void open_connection(struct connection *connection) {
  static char head[HEAD_BYTES_MAX + 1];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct timeval silence = {.tv_sec = SILENCE_MS_MAX / 1000};
  int on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection->fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
    fail("connect: %s", strerror(errno));
  int length = snprintf(head, sizeof head,
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", port);
  if (send(connection->fd, head, (size_t)length, MSG_NOSIGNAL) != length) fail("send: %s", strerror(errno));
  size_t filled = 0;
  do {
    ssize_t n = recv(connection->fd, head + filled, HEAD_BYTES_MAX - filled, 0);
    if (n <= 0 || filled == HEAD_BYTES_MAX) fail("no answer to the handshake");
    filled += (size_t)n;
    head[filled] = 0;
  } while (strstr(head, "\r\n\r\n") == NULL);
  if (strncmp(head, "HTTP/1.1 101", 12) != 0) fail("not status 101: %.60s", head);
  if (strstr(head, "\r\n\r\n") + 4 != head + filled) fail("the server speaks first");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
    fail("epoll_ctl: %s", strerror(errno));
}

static void send_message(struct connection *connection) {
  unsigned char frame[SENT_HEAD_BYTES + MESSAGE_BYTES];
  uint32_t stamp = connection->stamp++;
  connection->received = 0;
  connection->expected[0] = frame[0] = 0x81;
  connection->expected[1] = MESSAGE_BYTES;
  frame[1] = 0x80 | MESSAGE_BYTES;
  uint32_t mask = stamp * 2654435761u;
  memcpy(frame + 2, &mask, 4);
  for (int i = 0; i < MESSAGE_BYTES; i++) {
    unsigned char byte = (unsigned char)('a' + (stamp + (uint32_t)i) % 26);
    connection->expected[RECEIVED_HEAD_BYTES + i] = byte;
    frame[SENT_HEAD_BYTES + i] = byte ^ frame[2 + i % 4];
  }
  if (send(connection->fd, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame)
    fail("send: %s", strerror(errno));
}

/* Tells whether the echo is whole. */
static int receive_echo(struct connection *connection) {
  ssize_t n = recv(connection->fd, connection->echo + connection->received,
                   ECHO_BYTES - connection->received, 0);
  if (n < 0) fail("recv: %s", strerror(errno));
  if (n == 0) fail("the server ended a connection");
  connection->received += (size_t)n;
  if (connection->received < ECHO_BYTES) return 0;
  if (memcmp(connection->echo, connection->expected, ECHO_BYTES) != 0)
    fail("an echo is not what was sent");
  return 1;
}

int main(int argc, char **argv) {
  long milliseconds;
  if (argc != 3) fail("usage: load PORT CONNECTIONS");
  port = atoi(argv[1]);
  int count = atoi(argv[2]);
  if (count < 1 || count > CONNECTIONS_MAX) fail("%d connections, 1 to %d are possible", count, CONNECTIONS_MAX);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) fail("epoll_create1: %s", strerror(errno));
  for (int i = 0; i < count; i++) open_connection(&connections[i]);
  while (scanf("%ld", &milliseconds) == 1) {
    double begin = now_s(), end = begin + (double)milliseconds / 1000;
    unsigned long long operations = 0;
    for (int i = 0; i < count; i++) send_message(&connections[i]);
    for (int outstanding = count; outstanding > 0;) {
      struct epoll_event events[EVENTS_MAX];
      int ready = epoll_wait(epoll_fd, events, EVENTS_MAX, SILENCE_MS_MAX);
      if (ready == 0) fail("no echo for %d ms", SILENCE_MS_MAX);
      int goes_on = now_s() < end;
      for (int i = 0; i < ready; i++) {
        if (!receive_echo(events[i].data.ptr)) continue;
        operations++;
        if (goes_on) send_message(events[i].data.ptr);
        else outstanding--;
      }
    }
    printf("{\"operations\":%llu,\"seconds\":%.6f}\n", operations, now_s() - begin);
    fflush(stdout);
  }
  return 0;
}
