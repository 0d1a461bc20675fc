#include "app/bridge.hpp"
#include "cli/commands.hpp"
#include "cli/diagnosis.hpp"
#include "cli/interruption.hpp"
#include "cli/service_manager.hpp"
#include "cli/settings.hpp"
#include "config/load.hpp"
#include "net/descriptors.hpp"
#include "observe/fan_out.hpp"
#include "observe/log_sink.hpp"
#include "observe/metrics_sink.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>

namespace rowcast::cli {

namespace {

struct options {
    std::string file;
    std::string database;
};

// The command line wins over the file, and the file over DATABASE_URL.
or_exit<config::configuration> configure(const options& given)
{
    auto loaded = read_configuration(given.file);
    auto* settings = std::get_if<config::configuration>(&loaded);
    if (settings == nullptr) {
        return loaded;
    }
    if (!given.database.empty()) {
        settings->database.url = given.database;
    }
    if (settings->database.url.empty()) {
        auto found = find_database({});
        if (const auto* failed = std::get_if<exit_status>(&found)) {
            return *failed;
        }
        settings->database.url = std::get<std::string>(found);
    }
    return loaded;
}

// The same without words, for a reload: the database is not looked for anew.
config::loaded configure_again(const options& given, const std::string& url)
{
    auto loaded = config::load(given.file);
    if (auto* settings = std::get_if<config::configuration>(&loaded); settings && (!given.database.empty() || settings->database.url.empty())) {
        settings->database.url = url;
    }
    return loaded;
}

void set_up(observe::log_sink& log, const config::log& wanted)
{
    log.set(observe::parse_level(wanted.level).value_or(observe::level::info),
            observe::parse_log_format(wanted.format).value_or(observe::log_format::text));
}

std::string name_of(int signal)
{
    return std::string("SIG") + sigabbrev_np(signal);
}

// What one thread allocates others free, batch by batch: with a heap for each of them the pieces that stay are spread
// over all (glibc's manual, "Malloc Tunable Parameters").
void share_heaps()
{
#ifdef __GLIBC__
    ::mallopt(M_ARENA_MAX, 2);
#endif
}

constexpr std::chrono::milliseconds time_between_status = std::chrono::seconds(5);

std::string describe(const std::vector<std::string>& problems)
{
    return problems.empty() ? "ready" : "not ready: " + problems.front();
}

// What `rowcast doctor` says of the configuration that is in force. Any thread.
class examiner {
public:
    examiner(config::configuration first, std::string file) : file_(std::move(file)), now_(std::move(first)) {}

    void replace(const config::configuration& read)
    {
        const std::lock_guard lock(mutex_);
        now_ = read;
    }

    std::string look()
    {
        std::unique_lock lock(mutex_);
        const config::configuration now = now_;
        lock.unlock();
        return diagnosis_json(examine(now, file_));
    }

private:
    const std::string file_;
    std::mutex mutex_;
    config::configuration now_;
};

exit_status run(const options& given)
{
    const auto loaded = configure(given);
    if (const auto* failed = std::get_if<exit_status>(&loaded)) {
        return *failed;
    }
    const auto& settings = std::get<config::configuration>(loaded);

    net::raise_descriptor_limit();
    share_heaps();
    interruption signals({SIGINT, SIGTERM, SIGHUP});
    observe::log_sink log;
    set_up(log, settings.log);
    observe::metrics_sink metrics;
    const observe::sink tell = observe::fan_out({std::ref(log), std::ref(metrics)});
    examiner examines(settings, given.file);
    app::bridge bridge(settings, {.tell = tell,
                                  .metrics = [&] { return metrics.exposition(); },
                                  .find_page = {},
                                  .read_again = [&] { return configure_again(given, settings.database.url); },
                                  .file = given.file,
                                  .reloaded = [&](const config::configuration& read) { set_up(log, read.log); examines.replace(read); },
                                  .examine = [&] { return examines.look(); }});
    service_manager above;
    const auto pause = std::min(above.interval().value_or(time_between_status), time_between_status);
    bridge.start();
    above.ready();
    std::optional<int> came;
    while (!came || came == SIGHUP) {
        above.status(describe(bridge.not_ready()));
        came = signals.next(pause);
        if (came == SIGHUP) {
            above.reloading();
            bridge.reload();
            above.ready();
        }
        if (above.interval() && bridge.answers(*above.interval())) {
            above.alive();
        }
    }
    above.stopping();
    tell(observe::stopping{name_of(*came)});
    bridge.stop();
    tell(observe::stopped{});
    return exit_status::ok;
}

} // namespace

void add_serve(CLI::App& program, action& chosen)
{
    auto given = std::make_shared<options>();
    CLI::App* command =
        program.add_subcommand("serve", "Run the bridge: from the database to WebSocket, SSE and polling");
    command->add_option("-c,--config", given->file, "The bridge.yaml: who may see what")->required()->type_name("FILE");
    command->add_option("-d,--database", given->database, "Where PostgreSQL is, instead of what the file says")
        ->type_name("URL");
    command->footer(
        "Runs in the foreground and logs to stderr. SIGTERM and Ctrl-C tell the clients, and end it with status 0.\n"
        "SIGHUP reads the file again: an invalid one changes nothing, a valid one drops no session.\n"
        "PostgreSQL may be away, at the start too: /readyz says so, and it is tried again for ever.\n"
        "Under systemd: Type=notify, WatchdogSec=, and socket activation of server.listen and server.admin.\n\n"
        "  rowcast serve --config config/bridge.yaml");
    on_chosen(*command, chosen, given, run);
}

} // namespace rowcast::cli
