// What a change takes on its way, path by path, in instructions and allocations, which do not depend on the machine's
// mood: to be run by scripts/instructions, under callgrind, which writes a file for each path. Each does the same work
// on the same input, a fixed number of times.
//
//     valgrind --tool=callgrind bench/hot_paths
//
// Prints a line a path: its name, how often it was gone, and allocations.

#include <libpq-fe.h>
#include <valgrind/callgrind.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "audience.hpp"
#include "hub_of_many.hpp"
#include "net/running_server.hpp"
#include "postgres/log_statement.hpp"
#include "protocol/server_message.hpp"

namespace {

std::atomic<std::size_t> allocations{0};
thread_local std::size_t own_allocations = 0;

} // namespace

// Every allocation of C++'s; OpenSSL's and libpq's are not among them.
void* operator new(std::size_t size)
{
    ++own_allocations;
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* made = std::malloc(size)) {
        return made;
    }
    throw std::bad_alloc();
}
// GCC sees through the one and not the other, and takes them for strangers.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }

namespace {

using namespace rowcast;

enum class whose { this_thread, other_threads };

// Does it once for nothing, so that what is made once is there.
template <class Function>
void measure(const char* name, std::size_t times, whose counted, std::size_t a_turn, Function go)
{
    go();
    const std::size_t before = allocations;
    const std::size_t own_before = own_allocations;
    CALLGRIND_ZERO_STATS;
    if (counted == whose::other_threads) {
        CALLGRIND_TOGGLE_COLLECT; // of this thread alone
    }
    for (std::size_t i = 0; i < times; ++i) {
        go();
    }
    if (counted == whose::other_threads) {
        CALLGRIND_TOGGLE_COLLECT;
    }
    CALLGRIND_DUMP_STATS_AT(name);
    const std::size_t own = own_allocations - own_before;
    std::printf("%s %zu %zu\n", name, times * a_turn, counted == whose::this_thread ? own : allocations - before - own);
}

void must(bool holds, const char* what)
{
    if (!holds) {
        throw std::runtime_error(what);
    }
}

// A row of the change log as the reading statement returns it: an UPDATE of six columns.
postgres::rows log_row()
{
    const char* const row = R"({"id":42,"owner_id":7,"status":"open","total":129.50,"note":"left at the door","updated_at":"2026-11-21T10:00:00.123456+00:00"})";
    const std::array<const char*, 12> values = {"4711", "7421", "4712", "2026-11-21T10:00:00.123456Z", "UPDATE", "UPDATE", "public.orders", row, row, "f", nullptr, nullptr};
    std::array<PGresAttDesc, values.size()> columns{};
    for (PGresAttDesc& each : columns) {
        each = {const_cast<char*>("column"), 0, 0, 0, 25, -1, -1};
    }
    PGresult* made = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
    must(PQsetResultAttrs(made, static_cast<int>(columns.size()), columns.data()) != 0, "no memory");
    for (std::size_t i = 0; i < values.size(); ++i) {
        must(PQsetvalue(made, 0, static_cast<int>(i), const_cast<char*>(values[i]), values[i] == nullptr ? -1 : static_cast<int>(std::string_view(values[i]).size())) != 0,
             "no memory");
    }
    return postgres::rows(made);
}

void decode()
{
    const postgres::rows row = log_row();
    const observe::sink nobody = [](const observe::observation&) { throw std::runtime_error("the row cannot be read"); };
    measure("decode", 1'000, whose::this_thread, 1, [&] { must(postgres::read_change(row, nobody).after.size() == 6, "a row of six columns"); });
}

// Ten thousand rules, of which one sees the change: found, worded, and its cursor sealed.
void match()
{
    bench::hub_of_many many;
    for (int owner = 0; owner < 10'000; owner += 100) {
        std::vector<int> theirs;
        for (int i = 0; i < 100; ++i) {
            theirs.push_back(owner + i);
        }
        many.admit(theirs);
    }
    std::vector<core::batch_ptr> batches;
    for (int i = 0; i <= 500; ++i) {
        batches.push_back(many.update_of(i * 7919 % 10'000));
    }
    auto next = batches.begin();
    measure("match", 500, whose::this_thread, 1, [&] { must(many.match(*next++)->events.size() == 1, "one view sees it"); });
}

// Of a publication to a hundred sessions with the same subscription: what each hands to its transport, and its words.
void hand_out_and_word()
{
    bench::hub_of_many many;
    std::vector<hub::feed*> feeds;
    for (int i = 0; i < 100; ++i) {
        feeds.push_back(&many.admit({7}));
    }
    std::vector<hub::publication_ptr> published;
    for (int i = 0; i <= 20; ++i) {
        published.push_back(many.match(many.update_of(7)));
    }
    std::vector<hub::changes> taken;
    taken.reserve(feeds.size() * published.size());
    auto next = published.begin();
    measure("hand_out", 20, whose::this_thread, feeds.size(), [&] {
        many.hand_out(*next++);
        for (hub::feed* each : feeds) {
            auto what = each->next({});
            must(what && std::holds_alternative<hub::changes>(*what), "everybody has a change");
            taken.push_back(std::get<hub::changes>(std::move(*what)));
            must(!each->next({}), "and nothing else");
        }
    });
    const hub::changes& one = taken.front();
    measure("word", 1'000, whose::this_thread, 1, [&] {
        protocol::changes_message message(one.id, one.cursor, one.events.front().text.size());
        message.add({one.events.front().subs, one.events.front().text});
        must(!message.finish(one.more, one.live).empty(), "a message");
    });
}

// A message to a hundred WebSockets, one at a time: everything that the threads of the server do for it, from the
// publication that they are handed to the end of the write.
void deliver()
{
    constexpr std::size_t subscribers = 100;
    net::running_server::options how;
    how.shards = 1;
    net::running_server server(how);
    bench::audience everybody({server.port(), "/v1/ws", R"({"type":"subscribe","id":"s","channel":"room:1"})", R"("type":"subscribed")"}, subscribers);
    const std::string payload = "\"~" + std::string(100, 'x') + '"';
    measure("deliver", 50, whose::other_threads, subscribers, [&] {
        const auto before = everybody.deliveries();
        server.commit({net::running_server::message("room:1", "said", payload)});
        everybody.await(before + subscribers, std::chrono::seconds(60));
    });
}

} // namespace

int main()
{
    decode();
    match();
    hand_out_and_word();
    deliver();
    return 0;
}
