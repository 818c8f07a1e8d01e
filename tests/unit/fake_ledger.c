#include "tests/unit/fake_ledger.h"

#include <stdio.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "tests/unit/fake_home.h"

struct world world;
bool world_in_folder, world_in_s3 = true;

static int64_t monotonic_ms(struct clock *clock)
{
    struct wrong_clock *wrong = (struct wrong_clock *)clock;
    return wrong->right->monotonic_ms(wrong->right);
}

static int64_t wall_ms(struct clock *clock)
{
    struct wrong_clock *wrong = (struct wrong_clock *)clock;
    return wrong->right->wall_ms(wrong->right) + wrong->off_ms;
}

struct machine *machine_of(struct ledger *ledger)
{
    for (size_t i = 0; i < MACHINES; i++) {
        if (world.machines[i].ledger == ledger)
            return &world.machines[i];
    }
    panic("no machine has this ledger");
}

static int put(struct task *task, struct ledger *ledger, const char *key, const char *bytes,
               size_t length, const char *condition, char version[LEDGER_VERSION_BYTES],
               struct error *error)
{
    struct machine *machine = machine_of(ledger);
    enum ledger_fault fault = PUT_WELL;
    if (machine->next_fault < machine->fault_count)
        fault = machine->faults[machine->next_fault++];
    if (fault == PUT_FAILS || world.failing)
        return error_set(error, ERR_FAILED, "the network is down");
    if (fault == PUT_LOST_BEFORE || world.losing)
        return error_set(error, ERR_LOST_REPLY, "lost");
    char hidden[LEDGER_VERSION_BYTES];
    char *out = fault == PUT_LOST_AFTER ? hidden : version;
    int result = machine->real_put(task, ledger, key, bytes, length, condition, out, error);
    return fault == PUT_LOST_AFTER ? error_set(error, ERR_LOST_REPLY, "lost") : result;
}

static void begin_machine(struct machine *machine, int number)
{
    *machine = (struct machine){
        .clock = {.clock = {monotonic_ms, wall_ms, NULL}, .right = &world.clock.clock},
        .claim = {.owner = arena_printf(world.arena, "user-%d@host", number),
                  .command = "up",
                  .pid = 1000 + number},
    };
    if (world.s3) {
        machine->client = fake_s3_client(world.s3, &machine->clock.clock);
        machine->ledger = ledger_s3_new(&(struct ledger_s3_options){
            .client = machine->client,
            .clock = &machine->clock.clock,
            .partition = "aws",
            .account = LEDGER_ACCOUNT,
            .stack = "acme",
            .environment = "dev",
        });
    } else {
        machine->ledger = ledger_folder_new(
            &machine->clock.clock, arena_printf(world.arena, "%s/ledger", fake_home_path()), "acme",
            "dev");
    }
    machine->real_put = machine->ledger->put;
    machine->ledger->put = put;
}

int world_begin(void **state)
{
    world = (struct world){.arena = arena_new()};
    fake_home_begin();
    clock_virtual(&world.clock, LEDGER_START_MS);
    world.loop = loop_new(&world.clock.clock);
    if (*(bool *)*state)
        world.s3 = fake_s3_new(&world.clock.clock, LEDGER_ACCOUNT);
    for (int i = 0; i < MACHINES; i++)
        begin_machine(&world.machines[i], i);
    struct error error;
    return world.machines[0].ledger->create(NULL, world.machines[0].ledger, &error);
}

int world_end(void **state)
{
    (void)state;
    for (int i = 0; i < MACHINES; i++) {
        ledger_close(world.machines[i].ledger);
        aws_client_free(world.machines[i].client);
    }
    if (world.s3)
        fake_s3_free(world.s3);
    loop_free(world.loop);
    fake_home_end();
    arena_free(world.arena);
    return 0;
}

void world_run(task_function *const *functions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        task_detach(task_start(world.loop, world.machines[i].claim.owner, functions[i],
                               &world.machines[i]));
    loop_run(world.loop);
}
