/* What the parts of the load generator share.
 *
 * One process, one thread, one epoll. Members connect, get into rooms and stay; some of them
 * publish. A crowd may come at once, later; what it gets is read and not counted. Every delivery is checked: whose message it is, that it is whole, and that it is the
 * publisher's next one for this member. All times are nanoseconds on the monotonic clock.
 */
#ifndef LOAD_H
#define LOAD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND 1000000000LL
#define MAX_TEXT 4096
#define TEXT_HEAD 16 /* "#PPP:CCCCCCCCCC:", a publisher and its counter; then a filling */

struct connection {
    int fd;
    SSL *ssl;
    int number;
    int room;
    int publisher; /* or -1 */
    enum { APART, CONNECTING, SHAKING, GREETING, IN, GONE } stage;
    bool follows;       /* gets what its room says */
    bool wants_write;   /* epoll tells when it can be written to */
    bool dirty;         /* has something to write at the end of this turn */
    uint64_t position;  /* chat: the last seq */
    uint64_t head;      /* chat: where it is caught up */
    uint32_t *expected; /* each publisher's next counter */
    unsigned char *rest; /* what was read of a frame that is not whole yet */
    size_t rest_size, rest_room;
    unsigned char *out;
    size_t out_done, out_size, out_room;
};

/* A protocol. `take` uses up whole frames and tells how many bytes they were. */
struct dialect {
    const char *name;
    bool echoes;      /* a publisher gets its own message back */
    bool acknowledges;
    void (*greet)(struct connection *);
    size_t (*take)(struct connection *, const unsigned char *, size_t);
    void (*publish)(struct connection *, uint32_t counter, const char *text);
    void (*prepare)(struct connection *);    /* when all are in, or NULL */
    void (*keep_alive)(struct connection *); /* now and then, or NULL */
};

struct options {
    const struct dialect *dialect;
    const char *secret;
    int port, members, crowd, publishers, rooms, window, text, server, at_once;
    bool tls, direct, deaf, quick_ack;
    double rate, warmup, seconds, patience;
};

struct histogram {
    uint64_t count, most, places[2048];
};

extern struct options options;
extern const struct dialect chat, irc, mqtt, line;
extern struct connection *connections;
extern int64_t now; /* when the bytes that are looked at were read */

/* main.c */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void is_in(struct connection *);

/* wire.c: sockets and TLS */
int64_t clock_now(void);
void wire_begin(void);
void wire_open(struct connection *);
void wire_put(struct connection *, const void *, size_t);
void wire_turn(int64_t until); /* wait at most until then, read what is there, write what waits */

/* traffic.c: what is published and what arrives */
extern struct traffic {
    uint64_t sent, done, deliveries, acknowledged, lost, wrong, unfinished;
    struct histogram delivery, ack;
    int64_t counts_from; /* messages sent earlier are not in the histograms */
    bool running;        /* whether the windows are kept full */
} traffic;
void traffic_begin(void);
void traffic_fill(void);                /* publish as much as the window lets */
void traffic_publish(int publisher, int64_t due);
/* `sender` is its member's name as it came with the message, NULL when the protocol has none. */
void delivered(struct connection *, const char *sender, const char *text, size_t length);
void acknowledged(struct connection *, uint64_t counter);
uint64_t traffic_missing(void); /* deliveries that never came */
double quantile(const struct histogram *, double); /* milliseconds */

#endif
