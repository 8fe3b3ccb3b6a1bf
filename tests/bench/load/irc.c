/* IRC as RFC 1459 has it: NICK, USER, JOIN, PRIVMSG to a channel. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <string.h>

static void say(struct connection *c, const char *format, int number)
{
    char text[128];
    wire_put(c, text, (size_t)snprintf(text, sizeof text, format, number));
}

static void greet(struct connection *c)
{
    say(c, "NICK m%04d\r\n", c->number);
    say(c, "USER m%04d 0 * :load\r\n", c->number);
}

static void publish(struct connection *c, uint32_t counter, const char *text)
{
    char message[MAX_TEXT + 64];
    (void)counter;
    wire_put(c, message,
             (size_t)snprintf(message, sizeof message, "PRIVMSG #r%03d :%s\r\n", c->room, text));
}

static bool starts(const char *at, const char *end, const char *word)
{
    size_t size = strlen(word);
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0;
}

/* A line without its CR LF. */
static void handle(struct connection *c, const char *at, const char *end)
{
    const char *all = at;
    int size = (int)(end - at);
    char channel[16];
    if (at < end && *at == ':') {
        at = memchr(at, ' ', (size_t)(end - at));
        if (!at)
            fail("member %d got %.*s", c->number, size, all);
        at++;
    }
    snprintf(channel, sizeof channel, "#r%03d :", c->room);
    if (starts(at, end, "PRIVMSG ")) {
        at += 8;
        if (!starts(at, end, channel) || size < 8 || *all != ':' || all[6] != '!')
            fail("member %d got %.*s", c->number, size, all);
        delivered(c, all + 1, at + strlen(channel), (size_t)(end - at) - strlen(channel));
    } else if (starts(at, end, "PING ")) {
        char pong[512];
        wire_put(c, pong,
                 (size_t)snprintf(pong, sizeof pong, "PONG %.*s\r\n", (int)(end - at) - 5, at + 5));
    } else if (starts(at, end, "001 ")) {
        say(c, "JOIN #r%03d\r\n", c->room);
    } else if (starts(at, end, "366 ") && c->stage == GREETING) {
        is_in(c);
    } else if (end - at > 3 && (at[0] == '4' || at[0] == '5') && at[3] == ' ' &&
               !starts(at, end, "422 ")) {
        fail("member %d was refused: %.*s", c->number, size, all); /* 422: no message of the day */
    } else if (!(end - at > 3 && at[0] >= '0' && at[0] <= '9' && at[3] == ' ') &&
               !starts(at, end, "NOTICE ") && !starts(at, end, "JOIN ") &&
               !starts(at, end, "MODE ")) {
        fail("member %d got %.*s", c->number, size, all);
    }
}

static size_t take(struct connection *c, const unsigned char *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size, *stop;
    while ((stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (stop == at || stop[-1] != '\r')
            fail("a line that does not end with CR LF");
        handle(c, at, stop - 1);
        at = stop + 1;
    }
    return (size_t)(at - (const char *)data);
}

const struct dialect irc = {.name = "irc", .greet = greet, .take = take, .publish = publish};
