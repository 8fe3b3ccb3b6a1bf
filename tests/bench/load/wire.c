/* Sockets and TLS: bytes in, bytes out, one epoll. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ (256 * 1024)
#define CROWD_FOR (SECOND / 1000)
#define MANY 1500 /* connections from which on each one's buffers go when they are empty */

int64_t now;
static int epoll_fd;
static int crowd_fd; /* the crowd's own epoll, which is one of those that the other looks at */
static SSL_CTX *tls;
static unsigned char buffer[2 * READ];
static struct connection **dirty;
static int dirty_count;

int64_t clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

void wire_begin(void)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    crowd_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, crowd_fd, &(struct epoll_event){.events = EPOLLIN});
    dirty = calloc((size_t)(options.members + options.crowd), sizeof *dirty);
    if (!options.tls)
        return;
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Fewer system calls: several records are read at once. */
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_default_read_buffer_len(tls, 64 * 1024);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    if (options.members + options.crowd > MANY)
        SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
}

static int epoll_of(const struct connection *c)
{
    return c->number < options.members ? epoll_fd : crowd_fd;
}

static void watch(struct connection *c, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = c};
    if (c->wants_write != write)
        epoll_ctl(epoll_of(c), EPOLL_CTL_MOD, c->fd, &event);
    c->wants_write = write;
}

/* Before connecting: let the system keep as much for it as over an Ethernet. On the loopback its
 * buffers would hold so many seconds of what is not read that the server would not notice. */
static void keep_little(int fd)
{
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &(int){1448}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){64 * 1024}, sizeof(int));
}

void wire_open(struct connection *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    int on = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        fail("no more sockets: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (c->number >= options.members - options.stopped && c->number < options.members)
        keep_little(c->fd);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connecting: %s", strerror(errno));
    c->stage = CONNECTING;
    c->wants_write = true;
    epoll_ctl(epoll_of(c), EPOLL_CTL_ADD, c->fd, &event);
}

void wire_stop(struct connection *c)
{
    c->stopped = true;
    epoll_ctl(epoll_of(c), EPOLL_CTL_DEL, c->fd, NULL);
}

void wire_put(struct connection *c, const void *data, size_t size)
{
    if (c->out_size + size > c->out_room) {
        c->out_room = (c->out_size + size) * 2;
        c->out = realloc(c->out, c->out_room);
    }
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
    if (!c->dirty)
        dirty[dirty_count++] = c;
    c->dirty = true;
}

static void broken(struct connection *c)
{
    fail("connection %d broke off in stage %d: %s", c->number, (int)c->stage, strerror(errno));
}

/* The bytes that were moved, 0 for none at present; ends the program when it can't go on. */
static size_t moved(struct connection *c, ssize_t done)
{
    if (done > 0)
        return (size_t)done;
    if (c->ssl) {
        int why = SSL_get_error(c->ssl, (int)done);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            broken(c);
    } else if (done == 0 || (errno != EAGAIN && errno != EINTR)) {
        broken(c);
    }
    return 0;
}

static void flush(struct connection *c)
{
    if (c->stopped)
        return;
    while (c->out_done < c->out_size) {
        const unsigned char *from = c->out + c->out_done;
        size_t size = c->out_size - c->out_done;
        ssize_t done = c->ssl ? SSL_write(c->ssl, from, (int)size)
                              : send(c->fd, from, size, MSG_NOSIGNAL);
        size_t count = moved(c, done);
        c->out_done += count;
        if (!count) {
            watch(c, true);
            return;
        }
    }
    c->out_done = c->out_size = 0;
    watch(c, false);
}

/* Look at what was read, with what was left over before it; keep what is not whole yet. */
static void take(struct connection *c, size_t size)
{
    size_t used = options.dialect->take(c, buffer, size), rest = size - used;
    if (rest > c->rest_room) {
        c->rest_room = rest * 2;
        c->rest = realloc(c->rest, c->rest_room);
    }
    if (rest)
        memcpy(c->rest, buffer + used, rest);
    c->rest_size = rest;
}

static void read_all(struct connection *c)
{
    for (;;) {
        size_t old = c->rest_size;
        if (old > READ)
            fail("a frame of more than %d bytes", READ);
        unsigned char *into = buffer + old;
        ssize_t done = c->ssl ? SSL_read(c->ssl, into, READ) : recv(c->fd, into, READ, 0);
        size_t count = moved(c, done);
        if (!count)
            return;
        if (old)
            memcpy(buffer, c->rest, old);
        now = clock_now();
        if (options.quick_ack) /* the kernel forgets it again */
            setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
        take(c, old + count);
        /* The selector tells when there is more, but not of what TLS has read ahead. */
        if (c->ssl ? !SSL_has_pending(c->ssl) : count < READ)
            return;
    }
}

static void step(struct connection *c)
{
    if (c->stage == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error)
            fail("connecting: %s", strerror(error));
        c->stage = GREETING;
        if (tls) {
            c->stage = SHAKING;
            c->ssl = SSL_new(tls);
            SSL_set_fd(c->ssl, c->fd);
        }
    }
    if (c->stage == SHAKING) {
        int done = SSL_connect(c->ssl);
        watch(c, false);
        if (!moved(c, done))
            return;
        c->stage = GREETING;
        options.dialect->greet(c);
        return;
    }
    if (c->stage == GREETING && c->wants_write && !c->out_size) {
        watch(c, false);
        options.dialect->greet(c);
    }
}

static void flush_all(void)
{
    for (int i = 0; i < dirty_count; i++) {
        dirty[i]->dirty = false;
        flush(dirty[i]);
    }
    dirty_count = 0;
}

static void serve(const struct epoll_event *event)
{
    struct connection *c = event->data.ptr;
    if (c->stage < GREETING || (c->stage == GREETING && c->wants_write))
        step(c);
    if (c->stage >= GREETING && event->events & ~(unsigned)EPOLLOUT)
        read_all(c);
    if (c->stage >= GREETING && event->events & EPOLLOUT)
        flush(c);
}

/* A little of what the crowd has to do: a handshake costs its client more than its server, and the
 * times of those who talk must be the server's. */
static void serve_crowd(void)
{
    struct epoll_event event;
    int64_t until = clock_now() + CROWD_FOR;
    while (clock_now() < until && epoll_wait(crowd_fd, &event, 1, 0) == 1)
        serve(&event);
}

void wire_turn(int64_t until)
{
    struct epoll_event events[512];
    flush_all(); /* what was published before this turn must not wait with it */
    int64_t wait = until - clock_now();
    struct timespec timeout = {0};
    if (wait > 0)
        timeout = (struct timespec){wait / SECOND, wait % SECOND};
    int count = epoll_pwait2(epoll_fd, events, 512, &timeout, NULL);
    bool crowded = false;
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr)
            serve(&events[i]);
        else
            crowded = true;
    if (crowded)
        serve_crowd();
    if (traffic.running)
        traffic_fill();
    flush_all();
}
