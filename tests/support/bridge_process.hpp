#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "support/process.hpp"

namespace rowcast::support {

/// `rowcast serve` as a process, on a port that stays the same when it is killed and started again.
class bridge_process {
public:
    struct options {
        bool held = false;         ///< Its clients' socket, by this process, as systemd does: connections wait for the next bridge.
        unsigned most_files = 0;   ///< The shell's `ulimit -n` before it starts; 0: as it is.
        std::string limits = "connects_per_second_per_address: 100000"; ///< `server.limits`.
        std::string auth = "anonymous: true"; ///< `auth`.
        std::string server = {};   ///< Further lines of `server:` in the YAML.
    };

    /// `rules` is the rest of the YAML: `tables:` and the like.
    bridge_process(const std::string& database_url, const std::string& rules, const options& how);
    bridge_process(const std::string& database_url, const std::string& rules) : bridge_process(database_url, rules, options()) {}
    ~bridge_process();
    bridge_process(const bridge_process&) = delete;

    void start();          ///< Returns when /readyz says so.
    void stop();           ///< SIGTERM, and waits for its end.
    void kill();           ///< SIGKILL, and waits for its end.
    std::uint16_t port() const { return port_; }
    std::uint16_t admin_port() const { return admin_port_; }
    pid_t id() const { return running_->id(); }
    process& running() { return *running_; }

    /// The sum of a metric over its labels.
    double metric(const std::string& name) const;

    /// "VmHWM", "VmRSS" of /proc/PID/status, in bytes.
    std::uint64_t memory(const std::string& what) const;

    /// What all its threads have used so far.
    std::chrono::duration<double> cpu() const { return running_->cpu(); }

private:
    std::uint16_t port_;
    std::uint16_t admin_port_;
    std::string file_;
    unsigned most_files_;
    int socket_ = -1;
    std::unique_ptr<process> running_;
};

}
