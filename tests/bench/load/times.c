/* How long things took, in 32 places for each power of two of 256 ns: at most 3 % off. */
#include "load.h"

#define PLACES (sizeof ((struct histogram *)0)->places / sizeof(uint64_t))

void count_time(struct histogram *histogram, int64_t took)
{
    uint64_t value = took < 0 ? 0 : (uint64_t)took >> 8, place = value;
    if (value >= 32) {
        int power = 63 - __builtin_clzll(value);
        place = (uint64_t)(power - 4) * 32 + ((value >> (power - 5)) & 31);
    }
    histogram->places[place < PLACES ? place : PLACES - 1]++;
    histogram->count++;
    if (took > 0 && (uint64_t)took > histogram->most)
        histogram->most = (uint64_t)took;
}

double quantile(const struct histogram *histogram, double part)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * part), seen = 0;
    for (uint64_t place = 0; place < PLACES; place++)
        if ((seen += histogram->places[place]) > wanted) {
            uint64_t power = place / 32 + 4;
            uint64_t value = place < 32 ? place : (32 + place % 32) << (power - 5);
            return (double)(value << 8) / 1e6;
        }
    return (double)histogram->most / 1e6;
}
