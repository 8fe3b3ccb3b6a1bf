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
    fan_out += options.dialect->acknowledges;
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
    *message = (struct message){due, fan_out, false};
    int head = snprintf(text, sizeof text, "#%03d:%010u:", number, from->next);
    memcpy(text + head, filling, (size_t)(options.text - head));
    text[options.text] = 0;
    options.dialect->publish(from->connection, from->next++, text);
    from->under_way++;
    traffic.sent++;
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

static void count(struct histogram *histogram, int64_t took)
{
    /* 32 places for each power of two of 256 ns: at most 3 % off. */
    uint64_t value = took < 0 ? 0 : (uint64_t)took >> 8, place = value;
    if (value >= 32) {
        int power = 63 - __builtin_clzll(value);
        place = (uint64_t)(power - 4) * 32 + ((value >> (power - 5)) & 31);
    }
    histogram->places[place < 2047 ? place : 2047]++;
    histogram->count++;
    if (took > 0 && (uint64_t)took > histogram->most)
        histogram->most = (uint64_t)took;
}

double quantile(const struct histogram *histogram, double part)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * part), seen = 0;
    for (uint64_t place = 0; place < 2048; place++)
        if ((seen += histogram->places[place]) > wanted) {
            uint64_t power = place / 32 + 4;
            uint64_t value = place < 32 ? place : (32 + place % 32) << (power - 5);
            return (double)(value << 8) / 1e6;
        }
    return (double)histogram->most / 1e6;
}

static void arrived(struct publisher *from, struct message *message)
{
    if (--message->waiting == 0) {
        from->under_way--;
        traffic.done++;
        traffic.unfinished--;
    }
}

static bool number_at(const char *text, int digits, uint32_t *value)
{
    uint64_t sum = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        sum = sum * 10 + (uint64_t)(text[i] - '0');
    }
    *value = (uint32_t)sum;
    return true;
}

void delivered(struct connection *to, const char *sender, const char *text, size_t length)
{
    uint32_t number, counter, member;
    if (length != (size_t)options.text || text[0] != '#' || !number_at(text + 1, 3, &number) || text[4] != ':' ||
        !number_at(text + 5, 10, &counter) || text[15] != ':' ||
        number >= (uint32_t)options.publishers ||
        memcmp(text + TEXT_HEAD, filling, length - TEXT_HEAD) != 0)
        fail("a message that nobody sent: %.*s", (int)length, text);
    struct publisher *from = &publishers[number];
    if (from->connection->room != to->room || counter >= from->next ||
        (sender && (*sender != 'm' || !number_at(sender + 1, 4, &member) ||
                    (int)member != from->connection->number)))
        fail("a message that nobody here sent: %.*s", (int)length, text);
    if (to->number >= options.members)
        return; /* of the crowd: it may have come in the midst of it */
    if (counter < to->expected[number]) {
        traffic.wrong++; /* twice, or too late */
        return;
    }
    for (; to->expected[number] < counter; to->expected[number]++) {
        traffic.lost++;
        arrived(from, &from->ring[to->expected[number] % RING]);
    }
    to->expected[number]++;
    traffic.deliveries++;
    struct message *message = &from->ring[counter % RING];
    if (message->sent >= traffic.counts_from)
        count(&traffic.delivery, now - message->sent);
    arrived(from, message);
}

uint64_t traffic_missing(void)
{
    uint64_t each = fan_out - options.dialect->acknowledges;
    return traffic.sent * each - traffic.deliveries - traffic.lost;
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
        count(&traffic.ack, now - message->sent);
    arrived(from, message);
}
