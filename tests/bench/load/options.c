/* What is asked for. Each option is described where tests/bench/load/generator.py sets it. */
#include "load.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options options = {
    .rooms = 1, .text = 100, .at_once = 64, .warmup = 1, .seconds = 3, .patience = 60};

static const struct dialect *dialect_named(const char *name)
{
    const struct dialect *all[] = {&chat, &irc, &mqtt, &line};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    fail("there is no dialect %s", name);
}

static bool go_together(const struct options *o)
{
    return o->dialect && o->port && o->server && o->crowd >= 0 && o->members >= 1 &&
           o->members + o->crowd <= 9999 && o->rooms >= 1 && o->members % o->rooms == 0 &&
           o->publishers % o->rooms == 0 && o->publishers <= 999 && o->text >= TEXT_HEAD &&
           o->text <= MAX_TEXT && o->behind <= o->history &&
           o->stopped <= o->members - o->publishers && (o->rooms == 1 || !o->stopped) &&
           (o->dialect->catch_up || !o->behind);
}

void read_options(int count, char **arguments)
{
    const struct {
        const char *name;
        int *number;
        double *real;
        bool *flag;
        const char **text;
    } all[] = {
        {"port", .number = &options.port},
        {"server", .number = &options.server},
        {"members", .number = &options.members},
        {"publishers", .number = &options.publishers},
        {"rooms", .number = &options.rooms},
        {"window", .number = &options.window},
        {"text", .number = &options.text},
        {"at-once", .number = &options.at_once},
        {"crowd", .number = &options.crowd},
        {"stopped", .number = &options.stopped},
        {"history", .number = &options.history},
        {"behind", .number = &options.behind},
        {"rate", .real = &options.rate},
        {"warmup", .real = &options.warmup},
        {"seconds", .real = &options.seconds},
        {"patience", .real = &options.patience},
        {"tls", .flag = &options.tls},
        {"known", .flag = &options.known},
        {"deaf", .flag = &options.deaf},
        {"quick-ack", .flag = &options.quick_ack},
        {"secret", .text = &options.secret},
        {"dialect", .text = &(const char *){NULL}},
    };
    enum { ALL = sizeof all / sizeof *all };
    struct option known[ALL + 1] = {{0}};
    for (int i = 0; i < ALL; i++)
        known[i] = (struct option){all[i].name, all[i].flag ? no_argument : required_argument,
                                   NULL, 256 + i};
    for (int which; (which = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        int i = which - 256;
        if (i < 0 || i >= ALL)
            exit(2);
        if (all[i].number)
            *all[i].number = atoi(optarg);
        else if (all[i].real)
            *all[i].real = atof(optarg);
        else if (all[i].flag)
            *all[i].flag = true;
        else
            *all[i].text = optarg;
    }
    if (*all[ALL - 1].text)
        options.dialect = dialect_named(*all[ALL - 1].text);
    if (!go_together(&options))
        fail("these options don't go together");
}
