/* Our own protocol, by docs/protocol.md: hello, join or sign_in, sync, send, event, ack. */
#include "json.h"
#include "load.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HELLO = 1, ENTER, SYNC, PING, FIRST_SEND = 100 };
#define KEPT 1024 /* events of all rooms together */
#define HISTORY_HEAD 10 /* "hSSSSSSSSS", the event's seq; then anything */

/* What is looked at of a message; what it does not have has size 0. */
struct message {
    struct span type, room, kind, sender, text;
    uint64_t re, seq, head;
};

/* The same bytes are sent to everyone: an event that was read once need not be read again. Those
 * of each room are kept by their `seq`. */
static struct kept {
    uint64_t seq;
    struct mark mark;
    size_t size;
    unsigned char *bytes;
} *kept;
static unsigned kept_each; /* of a room: a power of two */

static struct kept *kept_of(const struct connection *c, uint64_t seq)
{
    return &kept[(unsigned)c->room * kept_each + (seq & (kept_each - 1))];
}

static void keep(const struct connection *c, uint64_t seq, struct mark mark, const char *body,
                 size_t size)
{
    struct kept *into = kept_of(c, seq);
    if (size > (size_t)options.text + 512)
        return;
    if (!into->bytes)
        into->bytes = malloc((size_t)options.text + 512);
    memcpy(into->bytes, body, size);
    into->seq = seq;
    into->mark = mark;
    into->size = size;
}

static void make_kept(void)
{
    for (kept_each = 16; kept_each * 2 * (unsigned)options.rooms <= KEPT; kept_each *= 2)
        ;
    kept = calloc((size_t)options.rooms * kept_each, sizeof *kept);
}

static void say(struct connection *c, const char *body, int size)
{
    unsigned length = (unsigned)size + 1;
    unsigned char head[5] = {(unsigned char)(length >> 24), (unsigned char)(length >> 16),
                             (unsigned char)(length >> 8), (unsigned char)length, 'J'};
    wire_put(c, head, sizeof head);
    wire_put(c, body, (size_t)size);
}

#define SAY(c, ...)                                                                               \
    do {                                                                                          \
        char body_[MAX_TEXT + 512];                                                               \
        say(c, body_, snprintf(body_, sizeof body_, __VA_ARGS__));                                \
    } while (0)

static void greet(struct connection *c)
{
    if (!kept)
        make_kept();
    SAY(c,
        "{\"type\":\"hello\",\"id\":%d,\"protocol\":2,\"capabilities\":[\"presence\"],"
        "\"program\":\"load\"}",
        HELLO);
}

/* Spread over all numbers, as the ids of messages are, and quickly made (splitmix64). */
static unsigned long long any_number(void)
{
    static uint64_t state;
    if (!state)
        RAND_bytes((unsigned char *)&state, sizeof state);
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* With the token that tests/bench/load/seed.py gave to who has an account already. */
static void enter(struct connection *c)
{
    if (options.known && c->number < options.members)
        SAY(c,
            "{\"type\":\"sign_in\",\"id\":%d,\"username\":\"m%04d\",\"token\":\"%064x\","
            "\"device\":\"load\",\"installation\":\"%032x\"}",
            ENTER, c->number, (unsigned)c->number + 1, c->number);
    else
        SAY(c,
            "{\"type\":\"join\",\"id\":%d,\"secret\":\"%s\",\"username\":\"m%04d\","
            "\"display_name\":\"Member %d\",\"token\":\"%016llx%016llx%016llx%016llx\","
            "\"device\":\"load\",\"installation\":\"%032x\"}",
            ENTER, options.secret, c->number, c->number, any_number(), any_number(), any_number(),
            any_number(), c->number);
}

static void sync_room(struct connection *c)
{
    c->follows = true;
    c->head = UINT64_MAX;
    SAY(c, "{\"type\":\"sync\",\"id\":%d,\"positions\":{\"%s\":%llu}}", SYNC,
        rooms[c->room].name, (unsigned long long)c->position);
}

/* 48 bits as 8 characters (RFC 4648, section 5). */
static void write_base64(char *to, unsigned long long bits)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int i = 0; i < 8; i++)
        to[i] = digits[bits >> (42 - 6 * i) & 63];
}

/* Its id begins with the time, as docs/protocol.md advises and ChatClient does it. */
static void publish(struct connection *c, uint32_t counter, const char *text)
{
    unsigned long long id = (unsigned long long)counter + FIRST_SEND;
    char cid[17] = {0};
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    write_base64(cid, time.tv_sec * 1000ULL + (unsigned long long)time.tv_nsec / 1000000);
    write_base64(cid + 8, any_number());
    SAY(c,
        "{\"type\":\"send\",\"id\":%llu,\"room\":\"%s\",\"cid\":\"%s\",\"kind\":\"message\","
        "\"body\":{\"text\":\"%s\"}}",
        id, rooms[c->room].name, cid, text);
}

static void keep_alive(struct connection *c)
{
    SAY(c, "{\"type\":\"ping\",\"id\":%d}", PING);
}

/* The first field of an object inside of another one, of that key or, when it is NULL, of any;
 * without one its value has size 0. */
static struct span inside(struct span object, const char *key)
{
    struct field field;
    const char *at = object.at, *end = object.at + object.size;
    while (at && json_next(&at, end, &field))
        if (!key || span_is(field.key, key))
            return field.value;
    return (struct span){NULL, 0};
}

/* Read a message; ends the program when it is not one. */
static struct message read_message(const char *body, size_t size)
{
    struct message message = {.re = UINT64_MAX, .seq = UINT64_MAX, .head = UINT64_MAX};
    const char *at = body, *end = body + size;
    struct field field;
    if (size == 0 || *body != '{')
        at = NULL;
    while (at && json_next(&at, end, &field)) {
        if (span_is(field.key, "type"))
            message.type = field.value;
        else if (span_is(field.key, "body"))
            message.text = inside(field.value, "text");
        else if (span_is(field.key, "seq"))
            message.seq = span_number(field.value);
        else if (span_is(field.key, "room"))
            message.room = field.value;
        else if (span_is(field.key, "kind"))
            message.kind = field.value;
        else if (span_is(field.key, "sender"))
            message.sender = field.value;
        else if (span_is(field.key, "re"))
            message.re = span_number(field.value);
        else if (span_is(field.key, "heads"))
            message.head = span_number(inside(field.value, NULL));
    }
    if (!at)
        fail("this is not an object in JSON: %.*s", (int)size, body);
    return message;
}

static void caught_up(struct connection *c)
{
    if (c->stage == GREETING && c->position >= c->head)
        is_in(c);
}

/* An event is its room's next one. */
static void move_on(struct connection *c)
{
    c->position++;
    caught_up(c);
}

/* What was there before this program came. */
static bool is_history(const struct message *m)
{
    return m->text.size > HISTORY_HEAD && *m->text.at == 'h' &&
           span_number((struct span){m->text.at + 1, HISTORY_HEAD - 1}) == m->seq;
}

static void event(struct connection *c, const struct message *m, const char *body, size_t size)
{
    if (!span_is(m->room, rooms[c->room].name))
        fail("an event of the room %.*s", (int)m->room.size, m->room.at);
    if (m->seq != c->position + 1)
        fail("member %d got event %llu after %llu", c->number, (unsigned long long)m->seq,
             (unsigned long long)c->position);
    if (m->sender.size != 5)
        fail("an event of the sender %.*s", (int)m->sender.size, m->sender.at);
    if (span_is(m->kind, "message") && (m->seq > (uint64_t)options.history || !is_history(m))) {
        struct mark mark = read_mark(c, m->sender.at, m->text.at, m->text.size);
        keep(c, m->seq, mark, body, size);
        delivered(c, mark);
    } else if (!span_is(m->kind, "join") && !span_is(m->kind, "message")) {
        fail("an event of the kind %.*s", (int)m->kind.size, m->kind.at);
    }
    move_on(c);
}

static void ack(struct connection *c, const struct message *m)
{
    if (m->seq == c->position + 1)
        c->position = m->seq;
    else if (c->follows && c->stage == IN)
        fail("an acknowledgement out of its place");
    if (m->re < FIRST_SEND || m->re == UINT64_MAX)
        fail("an acknowledgement of nothing");
    acknowledged(c, m->re - FIRST_SEND);
    caught_up(c);
}

static void synced(struct connection *c, const struct message *m)
{
    if (m->head == UINT64_MAX)
        fail("a synced without a head");
    c->head = m->head;
    caught_up(c);
}

static void handle(struct connection *c, const char *body, size_t size)
{
    struct message m = read_message(body, size);
    if (span_is(m.type, "event"))
        event(c, &m, body, size);
    else if (span_is(m.type, "ack"))
        ack(c, &m);
    else if (span_is(m.type, "welcome"))
        enter(c);
    else if (span_is(m.type, "synced"))
        synced(c, &m);
    else if (span_is(m.type, "signed_in")) {
        if (options.behind || (options.deaf && c->publisher >= 0))
            is_in(c);
        else
            sync_room(c);
    } else if (!span_is(m.type, "person") && !span_is(m.type, "presence") &&
               !span_is(m.type, "pong"))
        fail("member %d got %.*s", c->number, (int)size, body);
}

static bool begins(const unsigned char *body, size_t size, const char *start)
{
    return size > strlen(start) && memcmp(body, start, strlen(start)) == 0;
}

/* Of these everyone gets one or two for everyone who comes. In another order of its fields it is
 * read as any message is. */
static bool is_of_people(const unsigned char *body, size_t size)
{
    return begins(body, size, "{\"type\":\"presence\",") ||
           begins(body, size, "{\"type\":\"person\",");
}

static size_t take(struct connection *c, const unsigned char *data, size_t size)
{
    size_t used = 0;
    while (size - used >= 5) {
        const unsigned char *at = data + used;
        size_t length = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
        if (length < 1 || length > 65536 || at[4] != 'J')
            fail("a frame of %zu bytes and the kind %d", length, at[4]);
        if (size - used < 4 + length)
            break;
        const struct kept *same = kept_of(c, c->position + 1);
        if (c->follows && same->size == length - 1 && same->seq == c->position + 1 &&
            memcmp(same->bytes, at + 5, length - 1) == 0) {
            delivered(c, same->mark);
            move_on(c);
        } else if (!is_of_people(at + 5, length - 1)) {
            handle(c, (const char *)at + 5, length - 1);
        }
        used += 4 + length;
    }
    return used;
}

const struct dialect chat = {
    .name = "chat",
    .acknowledges = true,
    .greet = greet,
    .take = take,
    .publish = publish,
    .catch_up = sync_room,
    .keep_alive = keep_alive,
};
