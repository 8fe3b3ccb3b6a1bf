/* What the naive server speaks: it says "in", and every line goes to everyone else. */
#include "load.h"

#include <string.h>

static void greet(struct connection *c)
{
    wire_put(c, "hello\n", 6);
}

static void publish(struct connection *c, uint32_t counter, const char *text)
{
    (void)counter;
    wire_put(c, text, strlen(text));
    wire_put(c, "\n", 1);
}

static size_t take(struct connection *c, const unsigned char *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size, *stop;
    while ((stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (c->stage == GREETING && stop - at == 2 && memcmp(at, "in", 2) == 0)
            is_in(c);
        else
            delivered(c, read_mark(c, NULL, at, (size_t)(stop - at)));
        at = stop + 1;
    }
    return (size_t)(at - (const char *)data);
}

const struct dialect line = {.name = "line", .greet = greet, .take = take, .publish = publish};
