/* IRC as RFC 1459 has it: NICK, USER, JOIN, PRIVMSG to a channel. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <string.h>

#define SAY(c, ...)                                                                               \
    do {                                                                                          \
        char line_[MAX_TEXT + 64];                                                                \
        wire_put(c, line_, (size_t)snprintf(line_, sizeof line_, __VA_ARGS__));                   \
    } while (0)

static void greet(struct connection *c)
{
    SAY(c, "NICK m%04d\r\nUSER m%04d 0 * :load\r\n", c->number, c->number);
}

static void publish(struct connection *c, uint32_t counter, const char *text)
{
    (void)counter;
    SAY(c, "PRIVMSG #%s :%s\r\n", rooms[c->room].name, text);
}

static inline bool starts(const char *at, const char *end, const char *word)
{
    size_t size = strlen(word);
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0;
}

/* What stands behind "#room :" in a message to the member's room, NULL for any other. */
static const char *text_behind(const struct room *room, const char *at, const char *end)
{
    if ((size_t)(end - at) < room->size + 3 || *at != '#' ||
        memcmp(at + 1, room->name, room->size) != 0 || at[room->size + 1] != ' ' ||
        at[room->size + 2] != ':')
        return NULL;
    return at + room->size + 3;
}

/* A line without its CR LF. */
static void handle(struct connection *c, const char *at, const char *end)
{
    const char *all = at;
    int size = (int)(end - at);
    if (at < end && *at == ':') {
        at = memchr(at, ' ', (size_t)(end - at));
        if (!at)
            fail("member %d got %.*s", c->number, size, all);
        at++;
    }
    if (starts(at, end, "PRIVMSG ")) {
        const char *text = text_behind(&rooms[c->room], at + 8, end);
        if (!text || size < 8 || *all != ':' || all[6] != '!')
            fail("member %d got %.*s", c->number, size, all);
        delivered(c, read_mark(c, all + 1, text, (size_t)(end - text)));
    } else if (starts(at, end, "PING ")) {
        SAY(c, "PONG %.*s\r\n", (int)(end - at) - 5, at + 5);
    } else if (starts(at, end, "001 ")) {
        SAY(c, "JOIN #%s\r\n", rooms[c->room].name);
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
