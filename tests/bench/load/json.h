/* Just enough JSON to read the server's messages: one object, its values as they stand. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const char *at;
    size_t size;
};

/* A field of an object; a string's value stands without its quotes and as it was escaped. */
struct field {
    struct span key, value;
    bool string;
};

/* The next field behind `*at`, which starts at the object's brace. False at the object's end,
 * and `*at` is NULL then when it was none: cut off, or with something behind it. */
bool json_next(const char **at, const char *end, struct field *);

bool span_is(struct span, const char *text);
uint64_t span_number(struct span); /* UINT64_MAX when it is no natural number */

#endif
