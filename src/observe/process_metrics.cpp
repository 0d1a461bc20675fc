#include "observe/process_metrics.hpp"

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

namespace rowcast::observe {
namespace {

using enum prometheus::MetricType;

// Before main: as near as the process itself can know it.
const std::chrono::duration<double> started = std::chrono::system_clock::now().time_since_epoch();

prometheus::MetricFamily family(std::string name, std::string help, prometheus::MetricType type, double value)
{
    prometheus::ClientMetric one;
    (type == Counter ? one.counter.value : one.gauge.value) = value;
    return {std::move(name), std::move(help), type, {one}};
}

// The first number behind the line's beginning.
std::optional<double> find_number(const char* path, std::string_view beginning)
{
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        double value = 0;
        if (line.starts_with(beginning) && std::istringstream(line.substr(beginning.size())) >> value) {
            return value;
        }
    }
    return std::nullopt;
}

// As Linux counts them since 6.2 (proc_pid_fd(5)); before that they are counted one by one, which takes milliseconds where there are thousands.
std::optional<std::size_t> open_files()
{
    struct stat folder{};
    if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) {
        return static_cast<std::size_t>(folder.st_size);
    }
    std::error_code why;
    const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd", why), {});
    return why ? std::nullopt : std::optional(static_cast<std::size_t>(open - 1)); // one of them was for looking
}

} // namespace

std::vector<prometheus::MetricFamily> process_metrics()
{
    std::vector<prometheus::MetricFamily> out;
    out.push_back(family("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", Counter,
                         static_cast<double>(std::clock()) / CLOCKS_PER_SEC));
    out.push_back(family("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", Gauge, started.count()));
    if (const auto kilobytes = find_number("/proc/self/status", "VmSize:")) {
        out.push_back(family("process_virtual_memory_bytes", "Virtual memory size in bytes.", Gauge, *kilobytes * 1024));
    }
    if (const auto kilobytes = find_number("/proc/self/status", "VmRSS:")) {
        out.push_back(family("process_resident_memory_bytes", "Resident memory size in bytes.", Gauge, *kilobytes * 1024));
    }
    if (const auto open = open_files()) {
        out.push_back(family("process_open_fds", "Number of open file descriptors.", Gauge, static_cast<double>(*open)));
    }
    if (const auto most = find_number("/proc/self/limits", "Max open files")) {
        out.push_back(family("process_max_fds", "Maximum number of open file descriptors.", Gauge, *most));
    }
    return out;
}

} // namespace rowcast::observe
