/* Just enough JSON to read the server's messages. */
#include "json.h"

#include <string.h>

static const char *skip(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/* Behind the closing quote of a string that starts at `at`, NULL when there is none. */
static const char *string_end(const char *at, const char *end)
{
    if (at >= end || *at != '"')
        return NULL;
    for (at++; (at = memchr(at, '"', (size_t)(end - at))) != NULL; at++) {
        size_t slashes = 0;
        while (at[-1 - (long)slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return at + 1;
    }
    return NULL;
}

/* Behind a value, NULL when there is none. Nested ones are passed over by their brackets. */
static const char *value_end(const char *at, const char *end)
{
    int depth = 0;
    if (at < end && *at == '"')
        return string_end(at, end);
    for (; at < end; at++) {
        if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '"') {
            if ((at = string_end(at, end)) == NULL)
                return NULL;
            at--;
        } else if (depth == 0 && (*at == ',' || *at == '}' || *at == ' ')) {
            return at;
        } else if ((*at == '}' || *at == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return NULL;
}

bool json_next(const char **at, const char *end, struct field *field)
{
    const char *start = skip(*at, end), *stop;
    *at = NULL;
    if (start >= end)
        return false;
    if (*start == '}') {
        *at = skip(start + 1, end) == end ? end : NULL;
        return false;
    }
    if (*start != '{' && *start != ',')
        return false;
    start = skip(start + 1, end);
    if (start < end && *start == '}' && skip(start + 1, end) == end) {
        *at = end;
        return false;
    }
    if ((stop = string_end(start, end)) == NULL)
        return false;
    field->key = (struct span){start + 1, (size_t)(stop - start) - 2};
    start = skip(stop, end);
    if (start >= end || *start != ':')
        return false;
    start = skip(start + 1, end);
    if ((stop = value_end(start, end)) == NULL || stop == start)
        return false;
    field->string = *start == '"';
    field->value = (struct span){start + field->string, (size_t)(stop - start) - 2 * field->string};
    *at = stop;
    return true;
}

bool span_is(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

uint64_t span_number(struct span span)
{
    uint64_t sum = 0;
    if (span.size < 1 || span.size > 18)
        return UINT64_MAX;
    for (size_t i = 0; i < span.size; i++) {
        if (span.at[i] < '0' || span.at[i] > '9')
            return UINT64_MAX;
        sum = sum * 10 + (uint64_t)(span.at[i] - '0');
    }
    return sum;
}
