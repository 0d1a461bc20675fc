#include "app/bridge.hpp"
#include "cli/commands.hpp"
#include "cli/demo/bank.hpp"
#include "cli/demo/cluster.hpp"
#include "cli/demo/site.hpp"
#include "cli/interruption.hpp"
#include "cli/terminal.hpp"
#include "observe/fan_out.hpp"
#include "observe/log_sink.hpp"
#include "observe/metrics_sink.hpp"
#include "postgres/administration.hpp"
#include "postgres/embedded_sql.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <system_error>

namespace rowcast::cli {

namespace demo {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t usual_port = 8080;

struct options {
    std::optional<std::uint16_t> port;
    int rate = 10;
    bool no_load = false;
    bool keep = false;
};

// Tells what is being done, and how long it took.
class progress {
public:
    progress() = default;

    ~progress()
    {
        if (open_) {
            std::cout << std::endl;
        }
    }

    progress(const progress&) = delete;

    void step(const std::string& what)
    {
        done();
        std::cout << "  " << what << std::flush;
        began_ = std::chrono::steady_clock::now();
        open_ = true;
    }

    void done()
    {
        if (std::exchange(open_, false)) {
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
            std::array<char, 32> text{};
            std::snprintf(text.data(), text.size(), " (%.1f s)", took.count());
            std::cout << paint_(style::dim, text.data()) << std::endl;
        }
    }

private:
    painter paint_{wants_colour(STDOUT_FILENO)};
    std::chrono::steady_clock::time_point began_;
    bool open_ = false;
};

void must(const core::result<void>& done)
{
    if (!done) {
        throw std::runtime_error(done.error().message);
    }
}

void watch_bank(const cluster& in)
{
    postgres::administration administration({.url = in.url("postgres", database)});
    must(administration.install(postgres::install_sql));
    for (const char* table : {"pgbench_accounts", "pgbench_branches", "pgbench_tellers", "pgbench_history"}) {
        const auto name = administration.watch({.table = table, .columns = {}, .except = {}, .key = {}, .notify = {}});
        if (!name) {
            throw std::runtime_error(name.error().message);
        }
    }
    must(administration.grant_bridge(std::string(bridge_role)));
}

// The usual port, or any where it is taken; a port that was asked for is that one or nothing.
std::unique_ptr<app::bridge> start_bridge(config::configuration settings, const app::bridge::extras& with, bool chosen)
{
    try {
        auto bridge = std::make_unique<app::bridge>(settings, with);
        bridge->start();
        return bridge;
    } catch (const std::system_error&) {
        if (chosen) {
            throw;
        }
    }
    settings.server.listen.front().at.port = 0;
    auto bridge = std::make_unique<app::bridge>(settings, with);
    bridge->start();
    return bridge;
}

void await_ready(const app::bridge& bridge, interruption& stop)
{
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!bridge.not_ready().empty()) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("the bridge does not get ready: " + bridge.not_ready().front());
        }
        stop.pause(10ms);
    }
}

void invite(std::uint16_t port, const cluster& in, const options& given)
{
    const painter paint(wants_colour(STDOUT_FILENO));
    std::cout << "\n  Open   " << paint(style::bold, "http://127.0.0.1:" + std::to_string(port) + "/") << "\n"
              << "  Write  " << paint(style::cyan, in.psql_line(owner, database)) << "\n"
              << "  Watch  " << paint(style::cyan, "rowcast tail --database '" + in.url("postgres", database) + "'")
              << "\n\n"
              << (given.no_load ? "  Nothing writes: --no-load.\n" : "") << "  Ctrl-C ends it"
              << (given.keep ? "; the folder is kept." : " and removes everything.") << std::endl;
}

// Until a signal comes, or something that should run has ended.
void stay(cluster& in, std::optional<child>& load, interruption& stop)
{
    for (;;) {
        stop.pause(200ms);
        if (!in.running()) {
            throw std::runtime_error("the private PostgreSQL has ended:\n" + tail_of(in.log()));
        }
        if (load && !load->running()) {
            throw std::runtime_error("pgbench has ended:\n" + tail_of(in.socket_folder() / "load.log"));
        }
    }
}

void perform(const options& given, interruption& stop)
{
    progress tell;
    const programs found = find_programs();
    const auto account = unprivileged();
    temporary_folder folder(account);
    if (given.keep) {
        folder.keep();
    }
    std::cout << "rowcast demo" << (given.keep ? " in " + folder.path().string() : "") << std::endl;
    tell.step("a private PostgreSQL from " + found.postgres.parent_path().string());
    cluster server(found, folder.path(), account, stop);
    tell.step("pgbench's bank: " + std::to_string(branches) + " branches, " + std::to_string(branches) +
              "00,000 accounts");
    fill(server, found, stop);
    tell.step("rowcast's schema, and triggers on four tables");
    watch_bank(server);

    tell.step("the bridge");
    observe::log_sink log(observe::level::warn);
    observe::metrics_sink metrics;
    const auto settings = make_configuration(server.url(bridge_role, database), given.port.value_or(usual_port));
    const site pages(settings.auth, server.psql_line(owner, database));
    const auto bridge =
        start_bridge(settings,
                     {observe::fan_out({std::ref(log), std::ref(metrics)}), [&] { return metrics.exposition(); },
                      [&](std::string_view path) { return pages.find(path); }},
                     given.port.has_value());
    await_ready(*bridge, stop);
    std::optional<child> load;
    if (!given.no_load) {
        tell.step("a gentle load: " + std::to_string(given.rate) + " transactions a second");
        load.emplace(load_command(server, found, given.rate), server.surroundings("load.log"));
    }
    tell.done();
    invite(bridge->port(), server, given);
    try {
        stay(server, load, stop);
    } catch (const interrupted&) {
        std::cout << "\n  stopping" << std::endl;
        load.reset();
        bridge->stop(2s);
        throw;
    }
}

exit_status demonstrate(const options& given)
{
    interruption stop;
    try {
        perform(given, stop);
    } catch (const interrupted&) {
    }
    return exit_status::ok;
}

} // namespace

} // namespace demo

void add_demo(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<demo::options>();
    CLI::App* command =
        program.add_subcommand("demo", "A private PostgreSQL, a bridge and a live page; gone with Ctrl-C");
    command->add_option("-p,--port", given->port, "Where the page is (otherwise 8080, or any that is free)")
        ->type_name("PORT");
    command->add_option("-r,--rate", given->rate, "Transactions a second")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    command->add_flag("--no-load", given->no_load, "Let nothing write but you");
    command->add_flag("--keep", given->keep, "Leave the folder of PostgreSQL behind");
    command->footer("Wants PostgreSQL's programs (initdb, postgres, pgbench, psql) and touches no database of yours.");
    on_chosen(*command, chosen, given, demo::demonstrate);
}

} // namespace rowcast::cli
