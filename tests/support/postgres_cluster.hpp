#pragma once

#include "support/process.hpp"

#include <pqxx/pqxx>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::support {

/// A PostgreSQL server for one test, to be crashed, frozen, restarted and promoted. Takes about a second to make; tests
/// that only need a database use `database`. The destructor kills it and removes its files.
class postgres_cluster {
public:
    /// Makes and starts one with these further lines of postgresql.conf, e.g. "wal_writer_delay = 10s".
    explicit postgres_cluster(std::vector<std::string> settings = {});

    /// Makes and starts a streaming standby of `primary`, which must be running.
    static std::unique_ptr<postgres_cluster> standby_of(const postgres_cluster& primary,
                                                        std::vector<std::string> settings = {});

    ~postgres_cluster();
    postgres_cluster(const postgres_cluster&) = delete;
    postgres_cluster& operator=(const postgres_cluster&) = delete;

    /// Superuser; through a socket, or over loopback. The same after each restart.
    std::string url(std::string_view database = "postgres") const;
    std::string tcp_url(std::string_view database = "postgres") const;

    std::uint16_t port() const noexcept { return port_; }

    pqxx::connection connect(std::string_view database = "postgres") const;

    bool running();

    /// Returns once connections are accepted; throws with the server's log when it does not come up.
    void start();
    /// Ends sessions and writes everything to disk ("fast").
    void stop();
    void restart();

    /// kill -9 of all its processes at the same instant: what was in shared memory and not yet written is lost. `start` recovers.
    void crash();

    /// SIGSTOP and SIGCONT of all its processes: connections stay open and nothing answers.
    void freeze();
    void thaw();

    /// Ends recovery of a standby and returns when it accepts writes.
    void promote();

    /// Appends to postgresql.conf; takes effect at the next start, or reload where the setting allows it.
    void configure(std::string_view line);

    /// Everything the server has logged.
    std::string log() const;

private:
    struct unstarted {};

    explicit postgres_cluster(unstarted);

    void configure_all(const std::vector<std::string>& settings);
    std::vector<std::string> as_owner(std::vector<std::string> command) const;
    std::vector<pid_t> processes() const;
    void signal_all(int number) const;

    std::filesystem::path bindir_;
    std::filesystem::path root_;
    std::uint16_t port_;
    std::unique_ptr<process> server_;
};

}
