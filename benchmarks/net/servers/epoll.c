/*
 * The subject `c-epoll`: an echo server without a runtime, the ceiling of what this machine and the load generator give.
 *
 * What its parts promise is the same for all servers, see `harness/server-control.ts`: it prints its port and its process
 * id, answers each line of its standard input with "settled", and ends when that ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, BACKLOG = 4096, CHUNK_BYTES = 64 * 1024 };

struct connection {
  int fd;
  /* What the socket would not take; while there is some, nothing more is read. */
  char *rest;
  size_t rest_bytes;
};

static int epoll_fd;
static int listen_fd;
static char chunk[CHUNK_BYTES];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int operation, int fd, uint32_t events, void *what) {
  struct epoll_event event = {.events = events, .data.ptr = what};
  if (epoll_ctl(epoll_fd, operation, fd, &event) != 0) fail("epoll_ctl");
}

static void listen_and_announce(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(listen_fd, (struct sockaddr *)&address, size) != 0) fail("bind");
  if (listen(listen_fd, BACKLOG) != 0) fail("listen");
  getsockname(listen_fd, (struct sockaddr *)&address, &size);
  printf("{\"port\":%d,\"pid\":%d}\n", ntohs(address.sin_port), getpid());
  fflush(stdout);
}

static void accept_all(void) {
  for (;;) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0 && errno == EAGAIN) return;
    if (fd < 0) fail("accept");
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) fail("calloc");
    connection->fd = fd;
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, connection);
  }
}

static void end(struct connection *connection) {
  close(connection->fd);
  free(connection->rest);
  free(connection);
}

/* Sends; what does not fit is returned as a number of bytes, or -1 if the connection is gone. */
static ssize_t send_some(int fd, const char *bytes, size_t n) {
  ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN ? (ssize_t)n : -1;
  return (ssize_t)n - sent;
}

static void echo(struct connection *connection) {
  ssize_t n = recv(connection->fd, chunk, sizeof chunk, 0);
  if (n < 0 && errno == EAGAIN) return;
  ssize_t left = n <= 0 ? -1 : send_some(connection->fd, chunk, (size_t)n);
  if (left < 0) {
    end(connection);
  } else if (left > 0) {
    connection->rest = malloc((size_t)left);
    if (connection->rest == NULL) fail("malloc");
    memcpy(connection->rest, chunk + n - left, (size_t)left);
    connection->rest_bytes = (size_t)left;
    watch(EPOLL_CTL_MOD, connection->fd, EPOLLOUT, connection);
  }
}

static void send_rest(struct connection *connection) {
  ssize_t left = send_some(connection->fd, connection->rest, connection->rest_bytes);
  if (left < 0) {
    end(connection);
    return;
  }
  memmove(connection->rest, connection->rest + connection->rest_bytes - left, (size_t)left);
  connection->rest_bytes = (size_t)left;
  if (left > 0) return;
  free(connection->rest);
  connection->rest = NULL;
  watch(EPOLL_CTL_MOD, connection->fd, EPOLLIN, connection);
}

static void obey(void) {
  char line[64];
  if (read(STDIN_FILENO, line, sizeof line) <= 0) exit(0);
  puts("settled");
  fflush(stdout);
}

int main(void) {
  struct epoll_event events[EVENTS_MAX];
  epoll_fd = epoll_create1(0);
  listen_and_announce();
  watch(EPOLL_CTL_ADD, listen_fd, EPOLLIN, &listen_fd);
  watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, NULL);
  for (;;) {
    int ready = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
    for (int i = 0; i < ready; i++) {
      void *what = events[i].data.ptr;
      if (what == NULL) obey();
      else if (what == &listen_fd) accept_all();
      else if (((struct connection *)what)->rest_bytes > 0) send_rest(what);
      else echo(what);
    }
  }
}
