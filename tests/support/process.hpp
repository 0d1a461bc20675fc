#pragma once

#include "support/eventually.hpp"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rowcast::support {

/// A child process in a process group of its own, whose output is read as it comes, so that it never blocks on a full pipe.
/// The destructor kills the group; the kernel kills the child when the thread that made it ends.
class process {
public:
    /// Starts `command` (found by PATH) with the environment of this process and the `NAME=value` of `environment`.
    /// Throws when it cannot be started.
    explicit process(std::vector<std::string> command, std::vector<std::string> environment = {});
    ~process();
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    pid_t id() const noexcept { return id_; }

    /// The next line of standard output, without its end; nothing once all output is read. Throws when none comes in time.
    std::optional<std::string> read_line(std::chrono::milliseconds within = patience);
    /// The same of standard error.
    std::optional<std::string> read_error_line(std::chrono::milliseconds within = patience);

    /// Reads lines until one contains `text`, and returns it. Throws, quoting what came instead, at the end of the output or of the time.
    std::string line_with(std::string_view text, std::chrono::milliseconds within = patience);
    std::string error_line_with(std::string_view text, std::chrono::milliseconds within = patience);

    /// Everything that is still to be read, lines joined by "\n". Waits for the end of the output.
    std::string rest(std::chrono::milliseconds within = patience);
    std::string error_rest(std::chrono::milliseconds within = patience);

    /// Writes to standard input, which stays open until `close_input`.
    void write(std::string_view text);
    void close_input();

    void signal(int number);
    bool running();

    /// The exit status, or 128 and the number of the signal that ended it, as a shell says it. Throws when it does not end in time.
    int wait(std::chrono::milliseconds within = patience);

    /// What all its threads have used of the processor so far.
    std::chrono::duration<double> cpu() const;

private:
    struct stream {
        int descriptor = -1;
        std::string partial;
        std::deque<std::string> lines;
        bool ended = false;
    };

    void read_output();
    void take(stream& from);
    std::optional<std::string> next(stream& from, std::chrono::steady_clock::time_point deadline);
    std::string find(stream& from, std::string_view text, std::chrono::milliseconds within);
    std::string drain(stream& from, std::chrono::milliseconds within);

    std::string name_;
    pid_t id_ = -1;
    int input_ = -1;
    std::optional<int> status_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    stream output_;
    stream errors_;
    std::thread reader_;
};

/// Runs a command to its end and returns its standard output. Throws, quoting standard error, when it fails.
std::string run(std::vector<std::string> command, std::vector<std::string> environment = {},
                std::chrono::milliseconds within = patience);

}
