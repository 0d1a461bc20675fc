#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace rowcast::cli {

// What the service manager that started this process wants to hear (sd_notify(3)); without one, nothing is said.
class service_manager {
public:
    service_manager();

    void ready();
    void reloading(); // then `ready` again
    void stopping();
    void status(const std::string& words); // for `systemctl status`; the same words are not said twice

    // How often it wants a sign of life (WatchdogSec=, halved); nothing where it does not.
    std::optional<std::chrono::milliseconds> interval() const { return interval_; }
    void alive();

private:
    std::optional<std::chrono::milliseconds> interval_;
    std::string status_;
};

} // namespace rowcast::cli
