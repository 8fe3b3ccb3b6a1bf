/* The rooms' names: the one that everyone is in, or r000, r001, … */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

struct room *rooms;

void rooms_begin(void)
{
    rooms = calloc((size_t)options.rooms, sizeof *rooms);
    for (int i = 0; i < options.rooms; i++)
        rooms[i].size = (size_t)snprintf(rooms[i].name, sizeof rooms[i].name,
                                         options.rooms == 1 ? "general" : "r%03d", i);
}
