#pragma once

#include "cli/interruption.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace rowcast::cli::demo {

// Whom PostgreSQL runs as: it refuses root. Nothing for an ordinary user, who is good enough.
struct account {
    uid_t user;
    gid_t group;
    std::string name;
};

std::optional<account> unprivileged();

// A child process, in a group of its own (Ctrl-C on the terminal is not for it), its output in a file. The destructor
// ends the group: first with `ending`, after a few seconds with SIGKILL. If this program is killed the kernel tells the
// child. Must be made by the main thread: the kernel's promise ends with the thread that forked.
class child {
public:
    struct options {
        std::optional<account> as;
        std::filesystem::path output;
        std::filesystem::path folder = "/";
        int ending = 15; // SIGTERM
    };

    // Throws std::system_error where the program cannot be started.
    child(const std::vector<std::string>& command, options how);
    ~child();
    child(const child&) = delete;

    bool running();

    // The exit status, or 128 and the number of the signal. Throws `interrupted`; then the destructor ends the child.
    int wait(interruption& stop);

    void end();

private:
    std::string name_;
    options how_;
    pid_t id_ = -1;
    std::optional<int> status_;
};

// Runs a command to its end. Throws std::runtime_error with the end of its output where it fails.
void run(const std::vector<std::string>& command, const child::options& how, interruption& stop);

// The last lines of a file, for messages.
std::string tail_of(const std::filesystem::path& file);

} // namespace rowcast::cli::demo
