/*
 * The client of the benches `http-body` and `http-idle`: one thread, blocking, so that it costs little. The others are
 * loaded by wrk.
 *
 *     client PORT
 *
 * It obeys lines on its standard input, and answers each by `{"operations":N,"seconds":S}`; the end of input ends it:
 *
 *     idle N    have N connections open, each of which did one request; 0 closes all. Fails if the server closed one.
 *     down N    get a body, which has to have N bytes
 *     up N      post a body of N bytes; the answer has to be that number
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
  /* A server that sends or takes nothing for so long hangs. */
  SILENCE_S_MAX = 10,
  PIECE_BYTES = 256 * 1024,
  HEAD_BYTES_MAX = 16 * 1024,
};

static int port;
static char piece[PIECE_BYTES];
static int *open_fds;
static size_t open_count;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("client: ", stderr);
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

static int open_connection(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct timeval silence = {.tv_sec = SILENCE_S_MAX};
  int on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
    fail("connect: %s", strerror(errno));
  return fd;
}

static void send_all(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);
    if (n < 0) fail("send: %s", strerror(errno));
    bytes += n;
    count -= (size_t)n;
  }
}

static size_t receive(int fd, char *bytes, size_t count) {
  ssize_t n = recv(fd, bytes, count, 0);
  if (n < 0) fail("recv: %s", strerror(errno));
  if (n == 0) fail("the server ended the connection within a response");
  return (size_t)n;
}

/*
 * Reads an answer, whose body has a length; keeps the beginning of the body, if that is wanted.
 *
 * Returns the length of the body.
 */
static uint64_t read_answer(int fd, char *kept, size_t kept_max) {
  static char head[HEAD_BYTES_MAX + 1];
  size_t filled = 0;
  char *end = NULL;
  while (end == NULL) {
    if (filled == HEAD_BYTES_MAX) fail("a head of more than %d bytes", HEAD_BYTES_MAX);
    filled += receive(fd, head + filled, HEAD_BYTES_MAX - filled);
    head[filled] = 0;
    end = strstr(head, "\r\n\r\n");
  }
  if (strncmp(head, "HTTP/1.1 200", 12) != 0) fail("not status 200: %.60s", head);
  const char *field = strcasestr(head, "\r\ncontent-length:");
  if (field == NULL || field > end) fail("no Content-Length: %s", head);
  uint64_t length = strtoull(field + strlen("\r\ncontent-length:"), NULL, 10);
  size_t early = filled - (size_t)(end + 4 - head);
  if (early > length) fail("%zu bytes of a body of %llu", early, (unsigned long long)length);
  if (kept != NULL && length < kept_max) {
    memcpy(kept, end + 4, early);
    while (early < length) early += receive(fd, kept + early, length - early);
    kept[length] = 0;
    return length;
  }
  uint64_t missing = length - early;
  while (missing > 0)
    missing -= receive(fd, piece, missing < PIECE_BYTES ? (size_t)missing : (size_t)PIECE_BYTES);
  return length;
}

static const char GET[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

static void idle(size_t wanted) {
  if (wanted < open_count) {
    while (open_count > wanted) close(open_fds[--open_count]);
    return;
  }
  open_fds = realloc(open_fds, wanted * sizeof *open_fds);
  if (open_fds == NULL) fail("no memory for %zu connections", wanted);
  while (open_count < wanted) {
    int fd = open_connection();
    send_all(fd, GET, sizeof GET - 1);
    read_answer(fd, NULL, 0);
    open_fds[open_count++] = fd;
  }
  for (size_t i = 0; i < open_count; i++) {
    char byte;
    if (recv(open_fds[i], &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
      fail("idle connection %zu of %zu was closed, or got bytes it did not ask for", i, open_count);
  }
}

static void down(uint64_t bytes) {
  int fd = open_connection();
  send_all(fd, GET, sizeof GET - 1);
  uint64_t length = read_answer(fd, NULL, 0);
  if (length != bytes)
    fail("a body of %llu bytes, %llu were wanted", (unsigned long long)length, (unsigned long long)bytes);
  close(fd);
}

static void up(uint64_t bytes) {
  char text[256], answer[64];
  int fd = open_connection();
  int length = snprintf(text, sizeof text,
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: %llu\r\n\r\n",
    (unsigned long long)bytes);
  send_all(fd, text, (size_t)length);
  for (uint64_t missing = bytes; missing > 0;) {
    size_t count = missing < PIECE_BYTES ? (size_t)missing : (size_t)PIECE_BYTES;
    send_all(fd, piece, count);
    missing -= count;
  }
  read_answer(fd, answer, sizeof answer);
  if (strtoull(answer, NULL, 10) != bytes)
    fail("the server counted %s bytes of %llu", answer, (unsigned long long)bytes);
  close(fd);
}

int main(int argc, char **argv) {
  char word[8];
  unsigned long long amount;
  if (argc != 2) fail("usage: client PORT");
  port = atoi(argv[1]);
  raise_file_limit();
  memset(piece, 'a', sizeof piece);
  while (scanf("%7s %llu", word, &amount) == 2) {
    double begin = now_s();
    if (strcmp(word, "idle") == 0) idle((size_t)amount);
    else if (strcmp(word, "down") == 0) down(amount);
    else if (strcmp(word, "up") == 0) up(amount);
    else fail("no work is called %s", word);
    printf("{\"operations\":%llu,\"seconds\":%.6f}\n", amount, now_s() - begin);
    fflush(stdout);
  }
  return 0;
}
