/* Our own protocol, by docs/protocol.md: hello, join, sync, send, event, ack. */
#include "json.h"
#include "load.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { HELLO = 1, JOIN, SYNC, SET_UP, PING, FIRST_SEND = 100 };
#define KEPT 1024
#define SET_UP_TEXT "set-up"

/* What is looked at of a message; what it does not have has size 0. */
struct message {
    struct span type, room, kind, sender, text;
    uint64_t re, seq, head;
};

/* The same bytes are sent to everyone: an event that was read once need not be read again. */
static struct kept {
    unsigned char bytes[1024];
    size_t size;
    struct message message;
} kept[KEPT];

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

static const char *room_of(const struct connection *c)
{
    static char name[32];
    if (!options.direct)
        return "general";
    snprintf(name, sizeof name, "dm:m%04d:m%04d", c->number & ~1, c->number | 1);
    return name;
}

static void greet(struct connection *c)
{
    SAY(c, "{\"type\":\"hello\",\"id\":%d,\"protocol\":1,\"program\":\"load\"}", HELLO);
}

static void join(struct connection *c)
{
    unsigned char random[32];
    char token[65];
    RAND_bytes(random, sizeof random);
    for (int i = 0; i < 32; i++)
        snprintf(token + 2 * i, 3, "%02x", random[i]);
    SAY(c,
        "{\"type\":\"join\",\"id\":%d,\"secret\":\"%s\",\"username\":\"m%04d\","
        "\"display_name\":\"Member %d\",\"token\":\"%s\",\"device\":\"load\"}",
        JOIN, options.secret, c->number, c->number, token);
}

static void sync_room(struct connection *c)
{
    c->head = UINT64_MAX;
    SAY(c, "{\"type\":\"sync\",\"id\":%d,\"positions\":{\"%s\":0}}", SYNC, room_of(c));
}

static void send_text(struct connection *c, uint64_t id, const char *text)
{
    uint64_t random;
    RAND_bytes((unsigned char *)&random, sizeof random);
    SAY(c,
        "{\"type\":\"send\",\"id\":%llu,\"room\":\"%s\",\"cid\":\"%016llx%016llx\",\"text\":\"%s\"}",
        (unsigned long long)id, room_of(c), (unsigned long long)random, (unsigned long long)id,
        text);
}

static void publish(struct connection *c, uint32_t counter, const char *text)
{
    send_text(c, (uint64_t)counter + FIRST_SEND, text);
}

static void prepare(struct connection *c)
{
    if (options.direct && c->publisher >= 0)
        send_text(c, SET_UP, SET_UP_TEXT);
}

static void keep_alive(struct connection *c)
{
    SAY(c, "{\"type\":\"ping\",\"id\":%d}", PING);
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
        else if (span_is(field.key, "text"))
            message.text = field.value;
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
        else if (span_is(field.key, "heads")) {
            struct field head;
            const char *inside = field.value.at;
            if (json_next(&inside, field.value.at + field.value.size, &head))
                message.head = span_number(head.value);
        }
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

static void event(struct connection *c, const struct message *m)
{
    if (!span_is(m->room, room_of(c)))
        fail("an event of the room %.*s", (int)m->room.size, m->room.at);
    if (m->seq != c->position + 1)
        fail("member %d got event %llu after %llu", c->number, (unsigned long long)m->seq,
             (unsigned long long)c->position);
    c->position = m->seq;
    if (span_is(m->kind, "message") && !span_is(m->text, SET_UP_TEXT)) {
        if (m->sender.size != 5)
            fail("an event of the sender %.*s", (int)m->sender.size, m->sender.at);
        delivered(c, m->sender.at, m->text.at, m->text.size);
    } else if (!span_is(m->kind, "join") && !span_is(m->kind, "message")) {
        fail("an event of the kind %.*s", (int)m->kind.size, m->kind.at);
    }
    if (c->stage == GREETING)
        caught_up(c);
}

static void ack(struct connection *c, const struct message *m)
{
    if (m->re == SET_UP)
        return; /* it will come as an event: the sync that is under way says so */
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
    if (span_is(m.type, "event")) {
        if (size <= sizeof kept[0].bytes) {
            struct kept *keep = &kept[m.seq % KEPT];
            memcpy(keep->bytes, body, size);
            keep->size = size;
            /* The spans have to point into the copy, as the bytes themselves go. */
            keep->message = read_message((char *)keep->bytes, size);
        }
        event(c, &m);
    } else if (span_is(m.type, "ack"))
        ack(c, &m);
    else if (span_is(m.type, "welcome"))
        join(c);
    else if (span_is(m.type, "synced"))
        synced(c, &m);
    else if (span_is(m.type, "signed_in")) {
        c->follows = !options.direct && !(options.deaf && c->publisher >= 0);
        if (c->follows)
            sync_room(c);
        else
            is_in(c);
    } else if (span_is(m.type, "room")) {
        c->follows = true;
        c->stage = GREETING;
        sync_room(c);
    } else if (!span_is(m.type, "person") && !span_is(m.type, "pong"))
        fail("member %d got %.*s", c->number, (int)size, body);
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
        struct kept *keep = &kept[(c->position + 1) % KEPT];
        if (c->follows && keep->size == length - 1 && keep->message.seq == c->position + 1 &&
            memcmp(keep->bytes, at + 5, length - 1) == 0)
            event(c, &keep->message);
        else
            handle(c, (const char *)at + 5, length - 1);
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
    .prepare = prepare,
    .keep_alive = keep_alive,
};
