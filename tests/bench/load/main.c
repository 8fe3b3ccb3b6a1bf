/* The load generator: in which order things happen, and what came out.
 *
 * Prints one JSON object. Ends with status 1 and a line that tells why when anything arrives that
 * should not, or a connection breaks off.
 */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP_ALIVE (15 * SECOND) /* between two signs of life of a member */
#define QUIET (SECOND * 3 / 10)
#define PLACES 40 /* from which those start who catch up */
#define WEIGH (SECOND / 20) /* between two looks at the server's memory */

struct connection *connections;
static int opened, in_count, crowd_in, next_alive;
static int64_t alive_at, weigh_at, crowd_came, crowd_done;
static long memory_most;

/* Figures at one moment. */
struct sample {
    int64_t at;
    double server_cpu, own_cpu;
    long memory;
    uint64_t demanded, deliveries, done, acknowledged;
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

static struct sample take_sample(void)
{
    return (struct sample){
        clock_now(),      server_cpu(),       own_cpu(),    server_memory(),
        traffic.demanded, traffic.deliveries, traffic.done, traffic.acknowledged,
    };
}

static void turn(int64_t until)
{
    int64_t at = clock_now();
    if (options.dialect->keep_alive && at >= alive_at) {
        struct connection *next = &connections[next_alive++ % options.members];
        if (next->stage == IN)
            options.dialect->keep_alive(next);
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

/* One member after the other gets what it is behind with; how long that takes is counted. */
static void catch_up(int64_t deadline, struct histogram *times)
{
    for (int i = 0; i < options.members; i++) {
        struct connection *c = &connections[i];
        int64_t began = clock_now();
        c->stage = GREETING;
        options.dialect->catch_up(c);
        while (c->stage != IN) {
            wire_turn(deadline);
            if (clock_now() > deadline)
                fail("member %d did not catch up within %g s", i, options.patience);
        }
        count_time(times, now - began);
    }
}

/* When what counts begins: a crowd comes all at once, as when a network comes back, and some of
 * the members, the last ones, stop reading. */
static void begin_measuring(struct sample *from)
{
    for (int i = options.members - options.stopped; i < options.members; i++) {
        wire_stop(&connections[i]);
        traffic_excuse(&connections[i]);
    }
    *from = take_sample();
    memory_most = from->memory;
    crowd_came = from->at;
    for (int i = 0; i < options.crowd; i++)
        wire_open(&connections[options.members + i]);
}

static void weigh(int64_t at)
{
    if (at < weigh_at)
        return;
    long memory = server_memory();
    memory_most = memory > memory_most ? memory : memory_most;
    weigh_at = at + WEIGH;
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
        if (at >= measured && !from->at)
            begin_measuring(from);
        if (from->at)
            weigh(at);
        if (crowd_in < options.crowd && at > measured + (int64_t)(options.patience * 1e9))
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

static void print_count(const char *name, uint64_t value)
{
    printf(", \"%s\": %llu", name, (unsigned long long)value);
}

static void print_times(const char *name, const struct histogram *h)
{
    printf(", \"%s\": {\"count\": %llu, \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, "
           "\"max\": %.4f}",
           name, (unsigned long long)h->count, quantile(h, 0.5), quantile(h, 0.99),
           quantile(h, 0.999), (double)h->most / 1e6);
}

static void print_traffic(const struct sample *from, const struct sample *to)
{
    printf(", \"measured_s\": %.6f", (double)(to->at - from->at) / 1e9);
    print_count("demanded", to->demanded - from->demanded);
    print_count("deliveries", to->deliveries - from->deliveries);
    print_count("messages", to->done - from->done);
    print_count("acks", to->acknowledged - from->acknowledged);
    printf(", \"server_cpu_s\": %.3f, \"own_cpu_s\": %.3f", to->server_cpu - from->server_cpu,
           to->own_cpu - from->own_cpu);
    printf(", \"grown_bytes\": %ld", memory_most - from->memory);
    print_count("sent", traffic.sent);
    print_count("lost", traffic.lost);
    print_count("disordered", traffic.wrong);
    print_count("missing", traffic_missing());
    if (options.crowd)
        printf(", \"crowd_s\": %.4f", (double)(crowd_done - crowd_came) / 1e9);
    print_times("delivery_ms", &traffic.delivery);
    print_times("ack_ms", &traffic.ack);
}

static void make_connections(void)
{
    int size = options.members / options.rooms, each = options.publishers / options.rooms;
    connections = calloc((size_t)(options.members + options.crowd), sizeof *connections);
    for (int i = 0; i < options.members + options.crowd; i++) {
        struct connection *c = &connections[i];
        c->number = i;
        c->room = i < options.members ? i / size : 0;
        c->publisher = i < options.members && i % size < each ? c->room * each + i % size : -1;
        c->position = (uint64_t)(options.history - options.behind);
        /* Not all from one place: a server may keep what it has read for somebody. */
        if (options.behind + PLACES <= options.history && options.behind)
            c->position -= (uint64_t)(i % PLACES);
    }
}

int main(int count, char **arguments)
{
    struct sample from = {0}, to = {0};
    struct histogram behind = {0};
    read_options(count, arguments);
    rooms_begin();
    make_connections();
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
    if (options.behind) {
        catch_up(deadline, &behind);
        print_times("catch_up_ms", &behind);
    }
    if (options.publishers) {
        publish(&from, &to);
        print_traffic(&from, &to);
    }
    printf(", \"server_bytes\": %ld}\n", server_memory());
    return 0;
}
