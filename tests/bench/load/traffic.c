/* What is published and what arrives: windows, checks and times. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING 16384 /* messages of one publisher that may be under way */

struct message {
    int64_t sent;
    uint32_t waiting; /* deliveries and the acknowledgement that are still to come */
    bool acknowledged;
};

struct publisher {
    struct connection *connection;
    uint32_t next; /* the next message's counter */
    int under_way;
    struct message ring[RING];
};

struct traffic traffic;
static struct publisher *publishers;
static char filling[MAX_TEXT];
static uint32_t fan_out;
static int each_window;

void traffic_begin(void)
{
    int size = options.members / options.rooms;
    publishers = calloc((size_t)options.publishers + 1, sizeof *publishers);
    memset(filling, 'x', sizeof filling);
    fan_out = (uint32_t)(size - !options.dialect->echoes);
    if (options.deaf)
        fan_out = (uint32_t)(size - options.publishers / options.rooms);
    if (options.window > options.publishers && options.window % options.publishers)
        fail("%d messages under way can't be shared by %d", options.window, options.publishers);
    each_window = options.publishers ? options.window / options.publishers : 0;
    for (int i = 0; i < options.members; i++) {
        connections[i].expected = calloc((size_t)options.publishers + 1, sizeof(uint32_t));
        if (connections[i].publisher >= 0)
            publishers[connections[i].publisher].connection = &connections[i];
    }
}

void traffic_publish(int number, int64_t due)
{
    struct publisher *from = &publishers[number];
    struct message *message = &from->ring[from->next % RING];
    char text[MAX_TEXT + 1];
    if (message->waiting)
        fail("the server is %d messages of one publisher behind", RING);
    *message = (struct message){due, fan_out + options.dialect->acknowledges, false};
    snprintf(text, sizeof text, "#%03x%06x", (unsigned)number, from->next);
    memcpy(text + TEXT_HEAD, filling, (size_t)(options.text - TEXT_HEAD));
    text[options.text] = 0;
    options.dialect->publish(from->connection, from->next++, text);
    from->under_way++;
    traffic.sent++;
    traffic.demanded += fan_out;
    traffic.unfinished++;
}

void traffic_fill(void)
{
    static int turns;
    int64_t at = clock_now();
    if (options.window < options.publishers) { /* they take turns, as people who answer */
        while (traffic.unfinished < (uint64_t)options.window)
            traffic_publish(turns++ % options.publishers, at);
        return;
    }
    for (int i = 0; i < options.publishers; i++)
        while (publishers[i].under_way < each_window)
            traffic_publish(i, at);
}

static void arrived(struct publisher *from, struct message *message)
{
    if (--message->waiting == 0) {
        from->under_way--;
        traffic.done++;
        traffic.unfinished--;
    }
}

void traffic_excuse(struct connection *c)
{
    for (int i = 0; i < options.publishers; i++) {
        struct publisher *from = &publishers[i];
        for (; c->expected[i] < from->next; c->expected[i]++) {
            arrived(from, &from->ring[c->expected[i] % RING]);
            traffic.demanded--;
        }
    }
    fan_out--;
}

static bool number_at(const char *text, int digits, unsigned base, uint32_t *value)
{
    uint32_t sum = 0;
    for (int i = 0; i < digits; i++) {
        unsigned char at = (unsigned char)text[i];
        unsigned digit = base;
        if (at >= '0' && at <= '9')
            digit = at - '0';
        else if (at >= 'a' && at <= 'f')
            digit = at - 'a' + 10;
        if (digit >= base)
            return false;
        sum = sum * base + digit;
    }
    *value = sum;
    return true;
}

struct mark read_mark(const struct connection *to, const char *sender, const char *text,
                      size_t length)
{
    struct mark mark;
    uint32_t member;
    if (length != (size_t)options.text || text[0] != '#' ||
        !number_at(text + 1, 3, 16, &mark.publisher) ||
        !number_at(text + 4, 6, 16, &mark.counter) ||
        mark.publisher >= (uint32_t)options.publishers ||
        memcmp(text + TEXT_HEAD, filling, length - TEXT_HEAD) != 0)
        fail("a message that nobody sent: %.*s", (int)length, text);
    const struct publisher *from = &publishers[mark.publisher];
    if (from->connection->room != to->room || mark.counter >= from->next ||
        (sender && (*sender != 'm' || !number_at(sender + 1, 4, 10, &member) ||
                    (int)member != from->connection->number)))
        fail("a message that nobody here sent: %.*s", (int)length, text);
    return mark;
}

void delivered(struct connection *to, struct mark mark)
{
    struct publisher *from = &publishers[mark.publisher];
    if (to->number >= options.members)
        return; /* of the crowd: it may have come in the midst of it */
    uint32_t *expected = &to->expected[mark.publisher];
    if (mark.counter < *expected) {
        traffic.wrong++; /* twice, or too late */
        return;
    }
    for (; *expected < mark.counter; ++*expected) {
        traffic.lost++;
        arrived(from, &from->ring[*expected % RING]);
    }
    ++*expected;
    traffic.deliveries++;
    struct message *message = &from->ring[mark.counter % RING];
    if (message->sent >= traffic.counts_from)
        count_time(&traffic.delivery, now - message->sent);
    arrived(from, message);
}

uint64_t traffic_missing(void)
{
    return traffic.demanded - traffic.deliveries - traffic.lost;
}

void acknowledged(struct connection *by, uint64_t counter)
{
    if (by->publisher < 0)
        fail("an acknowledgement for somebody who sent nothing");
    struct publisher *from = &publishers[by->publisher];
    if (counter >= from->next || from->next - counter > RING)
        fail("an acknowledgement of what was not sent");
    struct message *message = &from->ring[counter % RING];
    if (message->acknowledged) {
        traffic.wrong++;
        return;
    }
    message->acknowledged = true;
    traffic.acknowledged++;
    if (message->sent >= traffic.counts_from)
        count_time(&traffic.ack, now - message->sent);
    arrived(from, message);
}
