/* What the parts of the load generator share.
 *
 * One process, one thread, one epoll. Members connect, get into rooms and stay; some of them
 * publish, some may stop reading for good. A crowd may come at once, later; what it gets is read
 * and checked, and not counted. Every delivery is checked: whose message it is, that it is whole,
 * and that it is the publisher's next one for this member. All times are nanoseconds on the
 * monotonic clock.
 */
#ifndef LOAD_H
#define LOAD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND 1000000000LL
#define MAX_TEXT 16384
#define TEXT_HEAD 10 /* "#PPPCCCCCC", a publisher and its counter in hex; then a filling */

struct connection {
    int fd;
    SSL *ssl;
    int number;
    int room;
    int publisher; /* or -1 */
    enum { APART, CONNECTING, SHAKING, GREETING, IN, GONE } stage;
    bool follows;       /* gets what its room says */
    bool stopped;       /* reads nothing any more */
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
    bool echoes;       /* a publisher gets its own message back */
    bool acknowledges;
    void (*greet)(struct connection *);
    size_t (*take)(struct connection *, const unsigned char *, size_t);
    void (*publish)(struct connection *, uint32_t counter, const char *text);
    void (*catch_up)(struct connection *);   /* get what it is behind with, or NULL */
    void (*keep_alive)(struct connection *); /* now and then, or NULL */
};

struct options {
    const struct dialect *dialect;
    const char *secret;
    int port, members, crowd, publishers, rooms, window, text, server, at_once, stopped;
    int history, behind;
    bool tls, known, deaf, quick_ack;
    double rate, warmup, seconds, patience;
};

struct histogram {
    uint64_t count, most, places[2048];
};

/* One message, as its text says: of which publisher, and its how manieth. */
struct mark {
    uint32_t publisher, counter;
};

extern struct options options;
extern const struct dialect chat, irc, mqtt, line;
extern struct connection *connections;
extern int64_t now; /* when the bytes that are looked at were read */

/* options.c */
void read_options(int count, char **arguments);

/* main.c */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void is_in(struct connection *);

/* process.c: what the system says of the server and of this program */
double server_cpu(void);  /* seconds of a processor so far, of all its threads */
long server_memory(void); /* bytes that it has in use */
double own_cpu(void);

/* wire.c: sockets and TLS */
int64_t clock_now(void);
void wire_begin(void);
void wire_open(struct connection *);
void wire_stop(struct connection *); /* read nothing any more; its connection stays */
void wire_put(struct connection *, const void *, size_t);
void wire_turn(int64_t until); /* wait at most until then, read what is there, write what waits */

/* traffic.c: what is published and what arrives */
extern struct traffic {
    uint64_t sent, done, demanded, deliveries, acknowledged, lost, wrong, unfinished;
    struct histogram delivery, ack;
    int64_t counts_from; /* messages sent earlier are not in the histograms */
    bool running;        /* whether the windows are kept full */
} traffic;
void traffic_begin(void);
void traffic_fill(void); /* publish as much as the window lets */
void traffic_publish(int publisher, int64_t due);
void traffic_excuse(struct connection *); /* it gets nothing any more, and need not */
/* `sender` is its member's name as it came with the message, NULL when the protocol has none. */
struct mark read_mark(const struct connection *, const char *sender, const char *text,
                      size_t length);
void delivered(struct connection *, struct mark);
void acknowledged(struct connection *, uint64_t counter);
uint64_t traffic_missing(void); /* deliveries that never came */

/* times.c */
void count_time(struct histogram *, int64_t took);
double quantile(const struct histogram *, double); /* milliseconds */

/* rooms.c: their names, in all protocols */
struct room {
    char name[16];
    size_t size;
};
extern struct room *rooms;
void rooms_begin(void);

#endif
