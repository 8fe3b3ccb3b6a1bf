/* MQTT 3.1.1 with quality of service 0: a room is a topic. */
#include "load.h"

#include <stdio.h>
#include <string.h>

enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, SUBSCRIBE = 0x82, SUBACK = 0x90 };

static void say(struct connection *c, unsigned char kind, const void *head, size_t head_size,
                const void *body, size_t body_size)
{
    unsigned char start[5] = {kind};
    size_t length = head_size + body_size, used = 1;
    do {
        start[used] = length % 128;
        length /= 128;
        start[used++] |= length ? 128 : 0;
    } while (length);
    wire_put(c, start, used);
    wire_put(c, head, head_size);
    wire_put(c, body, body_size);
}

static void greet(struct connection *c)
{
    char name[8];
    /* A clean session, and nothing is due to keep it alive. */
    static const unsigned char head[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 5};
    snprintf(name, sizeof name, "m%04d", c->number);
    say(c, CONNECT, head, sizeof head, name, 5);
}

/* A topic with its size before it; how many bytes that is. */
static size_t put_topic(const struct room *room, char *at)
{
    at[0] = 0;
    at[1] = (char)room->size;
    memcpy(at + 2, room->name, room->size);
    return room->size + 2;
}

static void subscribe(struct connection *c)
{
    static const unsigned char head[] = {0, 1};
    char topic[sizeof rooms->name + 3];
    size_t size = put_topic(&rooms[c->room], topic);
    topic[size++] = 0; /* the quality of service */
    say(c, SUBSCRIBE, head, sizeof head, topic, size);
}

static void publish(struct connection *c, uint32_t counter, const char *text)
{
    char topic[sizeof rooms->name + 2];
    (void)counter;
    say(c, PUBLISH, topic, put_topic(&rooms[c->room], topic), text, strlen(text));
}

static void handle(struct connection *c, unsigned char kind, const unsigned char *at, size_t size)
{
    const struct room *room = &rooms[c->room];
    if (kind == PUBLISH && size > 2 + room->size && at[0] == 0 && at[1] == room->size &&
        memcmp(at + 2, room->name, room->size) == 0)
        delivered(c, read_mark(c, NULL, (const char *)at + 2 + room->size, size - 2 - room->size));
    else if (kind == CONNACK && size == 2 && at[1] == 0)
        subscribe(c);
    else if (kind == SUBACK && size == 3 && at[2] == 0)
        is_in(c);
    else
        fail("member %d got a packet of the kind %02x with %zu bytes", c->number, kind, size);
}

static size_t take(struct connection *c, const unsigned char *data, size_t size)
{
    size_t used = 0;
    for (;;) {
        const unsigned char *at = data + used;
        size_t left = size - used, length = 0, place = 1;
        int shift = 0;
        do {
            if (left <= place)
                return used;
            if (shift > 21)
                fail("a packet without a right length");
            length |= (size_t)(at[place] & 127) << shift;
            shift += 7;
        } while (at[place++] & 128);
        if (left < place + length)
            return used;
        handle(c, at[0], at + place, length);
        used += place + length;
    }
}

const struct dialect mqtt = {
    .name = "mqtt", .echoes = true, .greet = greet, .take = take, .publish = publish};
