/* The load generator: what is asked for, in which order it happens, and what came out.
 *
 * Prints one JSON object. Ends with status 1 and a line that tells why when anything arrives that
 * should not, or a connection breaks off.
 */
#include "load.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define KEEP_ALIVE (15 * SECOND) /* between two signs of life of a member */
#define QUIET (SECOND * 3 / 10)

struct options options = {.publishers = 0, .rooms = 1, .window = 0, .text = 100, .at_once = 64,
                          .warmup = 1, .seconds = 3, .patience = 60};
struct connection *connections;
static int opened, in_count, crowd_in, next_alive;
static int64_t alive_at, crowd_came, crowd_done;

/* Figures at one moment. */
struct sample {
    int64_t at;
    double server_cpu, own_cpu;
    uint64_t deliveries, done, acknowledged;
};

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void is_in(struct connection *c)
{
    c->stage = IN;
    if (c->number < options.members)
        in_count++;
    else if (++crowd_in == options.crowd)
        crowd_done = clock_now();
}

/* Seconds of a processor that the server used so far, all its threads together. */
static double server_cpu(void)
{
    char path[64], text[1024], *at;
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", options.server);
    FILE *file = fopen(path, "r");
    if (!file)
        fail("the server has ended");
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    at = strrchr(text, ')');
    if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        fail("%s can't be read", path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Bytes of memory that the server has in use. */
static long server_memory(void)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", options.server);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        fail("%s can't be read", path);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static struct sample take_sample(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (struct sample){
        clock_now(),
        server_cpu(),
        (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
            (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
        traffic.deliveries,
        traffic.done,
        traffic.acknowledged,
    };
}

static void turn(int64_t until)
{
    int64_t at = clock_now();
    if (options.dialect->keep_alive && in_count == options.members && at >= alive_at) {
        options.dialect->keep_alive(&connections[next_alive++ % options.members]);
        alive_at = at + KEEP_ALIVE / options.members;
    }
    wire_turn(until < at + SECOND / 100 ? until : at + SECOND / 100);
}

/* Until all members are in: at most so many are on their way at once. */
static void let_in(int64_t deadline)
{
    while (in_count < options.members) {
        while (opened < options.members && opened - in_count < options.at_once)
            wire_open(&connections[opened++]);
        turn(deadline);
        if (clock_now() > deadline)
            fail("only %d of %d were in within %g s", in_count, options.members, options.patience);
    }
}

/* Until nothing arrives any more: they are told of each other. */
static void settle(int64_t deadline)
{
    now = clock_now();
    while (clock_now() - now < QUIET)
        if (clock_now() > deadline)
            fail("the server did not come to rest within %g s", options.patience);
        else
            wire_turn(now + QUIET); /* without signs of life: their answers are no rest */
}

/* All at once, as when a network comes back. */
static void let_crowd_in(void)
{
    crowd_came = clock_now();
    for (int i = 0; i < options.crowd; i++)
        wire_open(&connections[options.members + i]);
}

/* Publish for so long, as fast as the window lets or at a fixed rate; then wait for the rest.
 * With a crowd: until the crowd is in. */
static void publish(struct sample *from, struct sample *to)
{
    int64_t start = clock_now(), measured = start + (int64_t)(options.warmup * 1e9);
    int64_t end = measured + (int64_t)(options.seconds * 1e9), due = start;
    int64_t pause = options.rate > 0 ? (int64_t)(1e9 / options.rate) : SECOND;
    int turns = 0;
    traffic.counts_from = measured;
    traffic.running = options.rate <= 0;
    for (int64_t at = start; at < end || crowd_in < options.crowd; at = clock_now()) {
        if (at >= measured && !from->at) {
            *from = take_sample();
            let_crowd_in();
        }
        if (at > measured + (int64_t)(options.patience * 1e9))
            fail("only %d of a crowd of %d were in within %g s", crowd_in, options.crowd,
                 options.patience);
        /* Times count from when it was due: a generator that is late must not hide it. */
        for (; options.rate > 0 && due <= at; due += pause)
            traffic_publish(turns++ % options.publishers, due);
        turn(options.rate > 0 ? due : end);
    }
    *to = take_sample();
    traffic.running = false;
    now = clock_now();
    while (traffic.unfinished && clock_now() - now < 5 * SECOND)
        turn(clock_now() + SECOND);
}

static void print_quantiles(const char *name, const struct histogram *histogram)
{
    printf(", \"%s\": {\"count\": %llu, \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"max\": %.4f}",
           name, (unsigned long long)histogram->count, quantile(histogram, 0.5),
           quantile(histogram, 0.99), quantile(histogram, 0.999), (double)histogram->most / 1e6);
}

static void print_traffic(const struct sample *from, const struct sample *to)
{
    printf(", \"measured_s\": %.6f, \"deliveries\": %llu, \"messages\": %llu, \"acks\": %llu",
           (double)(to->at - from->at) / 1e9, (unsigned long long)(to->deliveries - from->deliveries),
           (unsigned long long)(to->done - from->done),
           (unsigned long long)(to->acknowledged - from->acknowledged));
    printf(", \"server_cpu_s\": %.3f, \"own_cpu_s\": %.3f", to->server_cpu - from->server_cpu,
           to->own_cpu - from->own_cpu);
    printf(", \"sent\": %llu, \"lost\": %llu, \"disordered\": %llu, \"missing\": %llu",
           (unsigned long long)traffic.sent, (unsigned long long)traffic.lost,
           (unsigned long long)traffic.wrong, (unsigned long long)traffic_missing());
    if (options.crowd)
        printf(", \"crowd_s\": %.4f", (double)(crowd_done - crowd_came) / 1e9);
    print_quantiles("delivery_ms", &traffic.delivery);
    print_quantiles("ack_ms", &traffic.ack);
}

static const struct dialect *dialect_named(const char *name)
{
    const struct dialect *all[] = {&chat, &irc, &mqtt, &line};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    fail("there is no dialect %s", name);
}

static void read_options(int count, char **arguments)
{
    enum { MEMBERS = 256, PUBLISHERS, ROOMS, WINDOW, RATE, WARMUP, SECONDS, PATIENCE, AT_ONCE, CROWD };
    static const struct option known[] = {
        {"dialect", 1, 0, 'd'},        {"port", 1, 0, 'p'},           {"secret", 1, 0, 's'},
        {"tls", 0, 0, 't'},            {"server", 1, 0, 'S'},         {"direct", 0, 0, 'D'},
        {"deaf", 0, 0, 'e'}, {"quick-ack", 0, 0, 'q'},           {"text", 1, 0, 'x'},           {"members", 1, 0, MEMBERS},
        {"publishers", 1, 0, PUBLISHERS}, {"rooms", 1, 0, ROOMS},     {"window", 1, 0, WINDOW},
        {"rate", 1, 0, RATE},          {"warmup", 1, 0, WARMUP},      {"seconds", 1, 0, SECONDS},
        {"patience", 1, 0, PATIENCE},  {"at-once", 1, 0, AT_ONCE},
        {"crowd", 1, 0, CROWD},        {0, 0, 0, 0}};
    int which;
    while ((which = getopt_long(count, arguments, "", known, NULL)) != -1)
        switch (which) {
        case 'd': options.dialect = dialect_named(optarg); break;
        case 'p': options.port = atoi(optarg); break;
        case 's': options.secret = optarg; break;
        case 't': options.tls = true; break;
        case 'S': options.server = atoi(optarg); break;
        case 'D': options.direct = true; break;
        case 'e': options.deaf = true; break;
        case 'q': options.quick_ack = true; break;
        case 'x': options.text = atoi(optarg); break;
        case MEMBERS: options.members = atoi(optarg); break;
        case PUBLISHERS: options.publishers = atoi(optarg); break;
        case ROOMS: options.rooms = atoi(optarg); break;
        case WINDOW: options.window = atoi(optarg); break;
        case RATE: options.rate = atof(optarg); break;
        case WARMUP: options.warmup = atof(optarg); break;
        case SECONDS: options.seconds = atof(optarg); break;
        case PATIENCE: options.patience = atof(optarg); break;
        case CROWD: options.crowd = atoi(optarg); break;
        case AT_ONCE: options.at_once = atoi(optarg); break;
        default: exit(2);
        }
    if (!options.dialect || options.crowd < 0 || !options.port || !options.server || options.members < 1 ||
        options.members + options.crowd > 9999 || options.rooms < 1 || options.members % options.rooms ||
        options.publishers % options.rooms || options.publishers > 999 ||
        options.text <= TEXT_HEAD || options.text > MAX_TEXT)
        fail("these options don't go together");
}

int main(int count, char **arguments)
{
    struct sample from = {0}, to = {0};
    read_options(count, arguments);
    int size = options.members / options.rooms, each = options.publishers / options.rooms;
    connections = calloc((size_t)(options.members + options.crowd), sizeof *connections);
    for (int i = 0; i < options.members + options.crowd; i++) {
        struct connection *c = &connections[i];
        c->number = i;
        c->room = i < options.members ? i / size : 0;
        c->publisher = i < options.members && i % size < each ? c->room * each + i % size : -1;
    }
    traffic_begin();
    wire_begin();
    long memory = server_memory();
    double cpu = server_cpu();
    int64_t began = clock_now(), deadline = began + (int64_t)(options.patience * 1e9);
    let_in(deadline);
    double in_s = (double)(clock_now() - began) / 1e9;
    settle(deadline);
    printf("{\"in_s\": %.4f, \"in_cpu_s\": %.3f, \"idle_bytes\": %.0f", in_s, server_cpu() - cpu,
           (double)(server_memory() - memory) / options.members);
    if (options.publishers) {
        if (options.dialect->prepare && options.direct) {
            in_count = 0;
            for (int i = 0; i < options.members; i++)
                options.dialect->prepare(&connections[i]);
            let_in(deadline);
            settle(deadline);
        }
        publish(&from, &to);
        print_traffic(&from, &to);
    }
    printf(", \"server_bytes\": %ld}\n", server_memory());
    return 0;
}
