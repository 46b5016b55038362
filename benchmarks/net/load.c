/*
 * The load generator of the suite `net`: one thread, epoll, non-blocking, so that it is never what is measured.
 *
 *     load echo PORT CONNECTIONS BYTES    one message outstanding on each connection
 *     load idle PORT                      connections that do one small echo, so that they are accepted, and stay open
 *     load accept PORT IN_FLIGHT          connect, echo one byte, end, wait for the server's end, close
 *
 * It obeys lines on its standard input: a number of milliseconds to work (echo, accept), or of connections to have open
 * (idle). Each is answered by `{"operations":N,"seconds":S}` when all echoes have come; the end of input ends it.
 *
 * Every byte of a message depends on its place and on the message's stamp. Of each chunk the first and the last byte are
 * checked: bytes lost, doubled or out of order end the run with an error.
 *
 * In mode accept the client ends each connection in order (half-close, then the server's own end), since a reset would
 * send every server into its error path. So the client keeps the TIME_WAIT, and connections come from 253 addresses of
 * 127.0.0.0/8 in turn, lest ephemeral ports run out. That is the same for all servers.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  EVENTS_MAX = 256,
  /* A server that does not answer for so long hangs. */
  SILENCE_MS_MAX = 10000,
  /* Connections being opened at once in mode idle: below every server's backlog. */
  OPENING_MAX = 64,
  /* Sources of mode accept: 127.0.0.2 to 127.0.0.254. */
  SOURCES = 253,
  STAMPS = 256,
  CHUNK_BYTES = 256 * 1024,
};

struct connection {
  int fd;
  unsigned char stamp;
  size_t sent;
  size_t received;
  int ending; /* mode accept: has sent its end, waits for the server's */
};

static int epoll_fd;
static int port;
static size_t message_bytes = 1;
static unsigned char *pattern; /* byte i is i mod 256; the message with stamp s starts at s */
static unsigned char chunk[CHUNK_BYTES];
static int source_next;

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

static void raise_file_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit: %s", strerror(errno));
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit: %s", strerror(errno));
}

static void make_pattern(void) {
  pattern = malloc(message_bytes + STAMPS);
  if (pattern == NULL) fail("no memory for a message of %zu bytes", message_bytes);
  for (size_t i = 0; i < message_bytes + STAMPS; i++) pattern[i] = (unsigned char)i;
}

/* Binds to the next of the source addresses; its port is chosen by connect, which can use one again for another peer. */
static void bind_to_next_source(int fd) {
  int on = 1;
  struct sockaddr_in source = {.sin_family = AF_INET};
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)source_next);
  source_next = (source_next + 1) % SOURCES;
  if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
      bind(fd, (struct sockaddr *)&source, sizeof source) != 0)
    fail("bind: %s", strerror(errno));
}

/* Edge-triggered: one registration serves the connection's whole life. */
static void open_connection(struct connection *connection, int from_many_sources) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (from_many_sources) bind_to_next_source(fd);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
    fail("connect: %s", strerror(errno));
  unsigned char stamp = connection->stamp;
  *connection = (struct connection){.fd = fd, .stamp = stamp};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

static void begin_message(struct connection *connection) {
  connection->stamp++;
  connection->sent = 0;
  connection->received = 0;
}

/* Sends as much of the message as the socket takes; the rest goes when it is writable again. */
static void send_rest(struct connection *connection) {
  while (connection->sent < message_bytes) {
    ssize_t n = send(connection->fd, pattern + connection->stamp + connection->sent,
                     message_bytes - connection->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) fail("send: %s", strerror(errno));
    connection->sent += (size_t)n;
  }
}

static void check_chunk(const struct connection *connection, size_t n) {
  size_t first = connection->received, last = first + n - 1;
  if (last >= connection->sent)
    fail("the server sent %zu bytes more than it got", last + 1 - connection->sent);
  if (chunk[0] != (unsigned char)(connection->stamp + first) ||
      chunk[n - 1] != (unsigned char)(connection->stamp + last))
    fail("the echo is not what was sent: bytes %zu to %zu of a message", first, last);
}

/* Reads what has come; tells whether the message is back. A read that does not fill the chunk has emptied the socket. */
static int receive_rest(struct connection *connection) {
  while (connection->received < message_bytes) {
    ssize_t n = recv(connection->fd, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0) fail("recv: %s", strerror(errno));
    if (n == 0)
      fail("the server ended after %zu of %zu bytes", connection->received, message_bytes);
    check_chunk(connection, (size_t)n);
    connection->received += (size_t)n;
    if ((size_t)n < sizeof chunk && connection->received < message_bytes) return 0;
  }
  return 1;
}

/* Whether the event means the connection could not be made; a half that ended is found by recv. */
static void check_event(const struct connection *connection, uint32_t events) {
  if (!(events & EPOLLERR)) return;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  fail("a connection failed: %s", strerror(error));
}

static int wait_events(struct epoll_event *events) {
  int n = epoll_wait(epoll_fd, events, EVENTS_MAX, SILENCE_MS_MAX);
  if (n == 0) fail("no answer from the server for %d s", SILENCE_MS_MAX / 1000);
  if (n < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  return n;
}

static struct connection *make_connections(int n) {
  struct connection *connections = calloc((size_t)n, sizeof *connections);
  if (connections == NULL && n > 0) fail("no memory for %d connections", n);
  /* Other stamps on other connections: an echo that goes to the wrong one is seen. */
  for (int i = 0; i < n; i++) connections[i].stamp = (unsigned char)(i * 37);
  return connections;
}

/* Echoes on all connections until the time is over and every echo is back. */
static long run_echo(struct connection *connections, int n, double until_s) {
  struct epoll_event events[EVENTS_MAX];
  long operations = 0;
  int outstanding = n;
  for (int i = 0; i < n; i++) {
    begin_message(&connections[i]);
    send_rest(&connections[i]);
  }
  while (outstanding > 0) {
    int ready = wait_events(events);
    int over = now_s() >= until_s;
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      check_event(connection, events[i].events);
      if (connection->received == message_bytes) continue;
      send_rest(connection);
      if (!receive_rest(connection)) continue;
      operations++;
      if (over) {
        outstanding--;
        continue;
      }
      begin_message(connection);
      send_rest(connection);
    }
  }
  return operations;
}

/* Half-closes once the byte is back, and reads to the server's end; tells whether that has come. */
static int end_in_order(struct connection *connection) {
  if (!connection->ending) {
    send_rest(connection);
    if (!receive_rest(connection)) return 0;
    if (shutdown(connection->fd, SHUT_WR) != 0) fail("shutdown: %s", strerror(errno));
    connection->ending = 1;
  }
  ssize_t n = recv(connection->fd, chunk, sizeof chunk, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n < 0) fail("recv: %s", strerror(errno));
  if (n > 0) fail("the server sent %zd bytes more than it got", n);
  close(connection->fd);
  return 1;
}

static void open_in_turn(struct connection *connection) {
  open_connection(connection, 1);
  begin_message(connection);
  send_rest(connection);
}

/* Opens and ends connections, `n` at a time, until the time is over and all have ended. */
static long run_accept(struct connection *connections, int n, double until_s) {
  struct epoll_event events[EVENTS_MAX];
  long operations = 0;
  int open = n;
  for (int i = 0; i < n; i++) open_in_turn(&connections[i]);
  while (open > 0) {
    int ready = wait_events(events);
    int over = now_s() >= until_s;
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      check_event(connection, events[i].events);
      if (!end_in_order(connection)) continue;
      operations++;
      if (over)
        open--;
      else
        open_in_turn(connection);
    }
  }
  return operations;
}

/* Opens connections until `wanted` are open and have done their echo. */
static void open_idle(struct connection *connections, int wanted) {
  struct epoll_event events[EVENTS_MAX];
  int open = 0, opening = 0;
  while (open < wanted || opening > 0) {
    for (; open < wanted && opening < OPENING_MAX; open++, opening++) {
      open_connection(&connections[open], 0);
      begin_message(&connections[open]);
    }
    int ready = wait_events(events);
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      check_event(connection, events[i].events);
      if (connection->received == message_bytes) continue;
      send_rest(connection);
      if (receive_rest(connection)) opening--;
    }
  }
}

static void close_idle(struct connection *connections, int open) {
  struct epoll_event events[EVENTS_MAX];
  int ending = open;
  for (int i = 0; i < open; i++)
    if (end_in_order(&connections[i])) ending--;
  while (ending > 0) {
    int ready = wait_events(events);
    for (int i = 0; i < ready; i++)
      if (end_in_order(events[i].data.ptr)) ending--;
  }
}

static void answer(long operations, double seconds) {
  printf("{\"operations\":%ld,\"seconds\":%.9f}\n", operations, seconds);
  fflush(stdout);
}

static void obey_idle(void) {
  struct connection *connections = NULL;
  int open = 0, wanted;
  /* All that are open end before others are opened: epoll points at them, so they cannot move. */
  while (scanf("%d", &wanted) == 1) {
    double start_s = now_s();
    close_idle(connections, open);
    free(connections);
    connections = make_connections(wanted);
    open_idle(connections, wanted);
    open = wanted;
    answer(open, now_s() - start_s);
  }
}

static void obey_for_ms(struct connection *connections, int n,
                        long (*run)(struct connection *, int, double)) {
  long ms;
  while (scanf("%ld", &ms) == 1) {
    double start_s = now_s();
    long operations = run(connections, n, start_s + (double)ms / 1e3);
    answer(operations, now_s() - start_s);
  }
}

static int number(const char *name, const char *text) {
  char *end;
  long value = text == NULL ? 0 : strtol(text, &end, 10);
  if (value <= 0 || *end != '\0' || value > INT32_MAX)
    fail("%s: %s, a whole number above 0 is needed", name, text == NULL ? "missing" : text);
  return (int)value;
}

int main(int argc, char **argv) {
  if (argc < 3)
    fail("usage: load echo PORT CONNECTIONS BYTES | load idle PORT | load accept PORT IN_FLIGHT");
  const char *mode = argv[1];
  port = number("port", argv[2]);
  raise_file_limit();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (strcmp(mode, "idle") == 0) {
    make_pattern();
    obey_idle();
    return 0;
  }
  int n = number("connections", argv[3]);
  struct connection *connections = make_connections(n);
  if (strcmp(mode, "accept") == 0) {
    make_pattern();
    obey_for_ms(connections, n, run_accept);
  } else if (strcmp(mode, "echo") == 0) {
    message_bytes = (size_t)number("bytes", argc > 4 ? argv[4] : NULL);
    make_pattern();
    for (int i = 0; i < n; i++) {
      open_connection(&connections[i], 0);
      connections[i].received = message_bytes;
    }
    obey_for_ms(connections, n, run_echo);
  } else {
    fail("unknown mode %s", mode);
  }
  return 0;
}
