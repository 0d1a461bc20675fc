#pragma once

#include "support/process.hpp"
#include "support/tcp_proxy.hpp"
#include "torture/account.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace rowcast::torture {

struct bridge_options {
    int number = 0;
    unsigned descriptors = 1024;
    std::string send_buffer = "1MB";
    std::chrono::seconds retention{45};
};

// `rowcast serve` as a child, and the wire between it and PostgreSQL. Of the thread that made it, but for the ports.
class bridge_process {
public:
    // Its files are kept in `folder`.
    bridge_process(const std::filesystem::path& folder, std::uint16_t postgres, const bridge_options& options);

    std::uint16_t port() const { return port_; }

    support::tcp_proxy& wire() { return wire_; }

    void start();
    void kill();
    // As an administrator does; returns its exit status.
    int terminate();

    void signal(int number) { child_->signal(number); }

    // Whether it runs, as it should.
    bool running() { return child_ && child_->running(); }

    bool ready() const;
    // Adds to the account what it has counted since it was started.
    void tell_metrics(account& to) const;

    std::string name() const { return "bridge " + std::to_string(number_); }

    std::filesystem::path log() const { return log_; }

private:
    int number_;
    unsigned descriptors_;
    support::tcp_proxy wire_;
    std::uint16_t port_;
    std::uint16_t admin_port_;
    std::filesystem::path configuration_;
    std::filesystem::path log_;
    std::unique_ptr<support::process> child_;
};

// A token that the bridges accept.
std::string token_for(const std::string& subject, const std::string& role, int owner);

} // namespace rowcast::torture
