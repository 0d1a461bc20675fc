#include "cli/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>

namespace rowcast::cli {

namespace {

// One that cannot be told will notice by itself.
void say(const std::string& state)
{
    ::sd_notify(0, state.c_str());
}

} // namespace

service_manager::service_manager()
{
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) > 0) {
        const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(microseconds)) / 2;
        interval_ = std::max(half, std::chrono::milliseconds(1));
    }
}

void service_manager::ready()
{
    say("READY=1");
}

// With the time, as Type=notify-reload has it.
void service_manager::reloading()
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch(); // CLOCK_MONOTONIC
    say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void service_manager::stopping()
{
    say("STOPPING=1");
}

void service_manager::status(const std::string& words)
{
    if (words != status_) {
        status_ = words;
        std::string line = "STATUS=" + words;
        std::replace(line.begin(), line.end(), '\n', ' ');
        say(line);
    }
}

void service_manager::alive()
{
    say("WATCHDOG=1");
}

} // namespace rowcast::cli
