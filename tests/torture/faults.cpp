#include "torture/faults.hpp"

#include "support/raw_client.hpp"

#include <algorithm>
#include <csignal>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace rowcast::torture {

using namespace std::chrono_literals;

faults::faults(world& on, bridges& of, account& to, dice chance)
    : world_(on)
    , bridges_(of)
    , account_(to)
    , random_(std::move(chance))
{
    all_ = {
        {"sessions of the bridges ended", 4,
         [this] { end_sessions("application_name like 'rowcast%' and random() < 0.7"); }},
        {"sessions of the writers ended", 2,
         [this] { end_sessions("application_name = '' and backend_type = 'client backend' and random() < 0.4"); }},
        {"server killed", 3,
         [this] {
             world_.primary().crash();
             pause(0, 3000);
             world_.start_again();
         }},
        {"server restarted", 2, [this] { world_.primary().restart(); }},
        {"server frozen", 3,
         [this] {
             world_.primary().freeze();
             pause(300, 6000);
             world_.primary().thaw();
         }},
        {"server killed, and a bridge", 1,
         [this] {
             bridge_process& one = any_bridge();
             world_.primary().crash();
             one.kill();
             one.start();
             world_.start_again();
         }},
        {"connections exhausted", 2, [this] { exhaust_connections(); }},
        {"wire silent", 3,
         [this] {
             bridge_process& one = any_bridge();
             one.wire().silence();
             pause(0, 6000);
             one.wire().pass();
         }},
        {"wire cut", 3, [this] { any_bridge().wire().cut(); }},
        {"wire refused", 2,
         [this] {
             bridge_process& one = any_bridge();
             one.wire().refuse();
             one.wire().cut();
             pause(200, 5000);
             one.wire().pass();
         }},
        {"bridge killed", 3,
         [this] {
             bridge_process& one = any_bridge();
             one.kill();
             pause(0, 3000);
             one.start();
         }},
        {"bridge terminated", 2,
         [this] {
             bridge_process& one = any_bridge();
             if (one.ready()) {
                 one.tell_metrics(account_);
             }
             if (const int status = one.terminate(); status != 0) {
                 account_.fail(one.name() + " ended with status " + std::to_string(status) + " on SIGTERM; see " +
                               one.log().string());
             }
             one.start();
         }},
        {"bridge frozen", 3,
         [this] {
             bridge_process& one = any_bridge();
             one.signal(SIGSTOP);
             pause(300, 6000);
             one.signal(SIGCONT);
         }},
        {"descriptors exhausted", 2, [this] { exhaust_descriptors(); }},
        {"failed over", 1, [this] { fail_over(); }},
    };
}

void faults::strike()
{
    const unsigned total = std::accumulate(all_.begin(), all_.end(), 0U,
                                           [](unsigned sum, const fault& each) { return sum + each.weight; });
    unsigned chosen = random_.below(total);
    for (const fault& each : all_) {
        if (chosen < each.weight) {
            strike(each.name);
            return;
        }
        chosen -= each.weight;
    }
}

void faults::strike(const std::string& name)
{
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const fault& each) { return each.name == name; });
    if (found == all_.end()) {
        throw std::invalid_argument("there is no fault called " + name);
    }
    found->act();
    account_.count("fault: " + name);
}

void faults::heal()
{
    for (const auto& each : bridges_) {
        each->wire().pass();
        each->signal(SIGCONT);
    }
    world_.primary().thaw();
}

void faults::pause(long least, long most)
{
    std::this_thread::sleep_for(random_.ms(least, most));
}

bridge_process& faults::any_bridge()
{
    return *bridges_[random_.below(static_cast<unsigned>(bridges_.size()))];
}

void faults::end_sessions(const std::string& whose)
{
    pqxx::connection connection = world_.connect();
    pqxx::nontransaction{connection}.exec(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and " + whose);
}

// All of them, also those that are kept for superusers; then the bridges lose theirs and find no other.
void faults::exhaust_connections()
{
    std::vector<std::unique_ptr<pqxx::connection>> taken;
    try {
        for (int i = 0; i < 200; ++i) {
            taken.push_back(std::make_unique<pqxx::connection>(world_.url() + "&application_name=hoarder"));
        }
        account_.fail("PostgreSQL gives out more connections than it was told");
    } catch (const pqxx::failure&) {
    }
    if (!taken.empty() && random_.once_in(2)) {
        pqxx::nontransaction{*taken.front()}.exec(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'rowcast%'");
    }
    pause(500, 4000);
}

void faults::exhaust_descriptors()
{
    bridge_process& one = any_bridge();
    std::vector<std::unique_ptr<support::raw_client>> idle;
    try {
        for (int i = 0; i < 400; ++i) {
            idle.push_back(std::make_unique<support::raw_client>(one.port()));
        }
    } catch (const std::exception&) { // the backlog is full, which is as good
    }
    if (random_.once_in(2)) {
        one.wire().cut();
    }
    pause(500, 4000);
}

void faults::fail_over()
{
    if (!world_.has_standby()) {
        world_.make_standby();
    }
    world_.fail_over(random_.ms(0, 500));
    for (const auto& each : bridges_) {
        each->wire().redirect(world_.primary().port());
    }
    pause(500, 3000);
    world_.make_standby();
}

} // namespace rowcast::torture
