#pragma once

#include "cli/exit_status.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace rowcast::cli {

// What the chosen command does once all of the command line is read.
using action = std::function<exit_status()>;

// Each adds a command with its options to the program, and sets `chosen` where it is the one.
void add_serve(CLI::App& program, action& chosen);
void add_install(CLI::App& program, action& chosen);
void add_uninstall(CLI::App& program, action& chosen);
void add_watch(CLI::App& program, action& chosen);
void add_unwatch(CLI::App& program, action& chosen);
void add_status(CLI::App& program, action& chosen);
void add_tail(CLI::App& program, action& chosen);
void add_revoke(CLI::App& program, action& chosen);
void add_explain(CLI::App& program, action& chosen);
void add_check(CLI::App& program, action& chosen);
void add_doctor(CLI::App& program, action& chosen);
void add_token(CLI::App& program, action& chosen);
void add_demo(CLI::App& program, action& chosen);

// Registers a command whose options are read into `options`, a std::shared_ptr, and then given to `run`.
template <class Options, class Run>
void on_chosen(CLI::App& command, action& chosen, Options options, Run run)
{
    command.callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
}

} // namespace rowcast::cli
