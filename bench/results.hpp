#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace rowcast::bench {

// What a benchmark has found, for whoever draws it (scripts/bench report): with `--json FILE`, an object of the machine, the load
// before and after, and one object a figure. Without, nothing.
class results {
public:
    // Adds the option; both must outlive the parsing.
    results(CLI::App& app, std::string benchmark);
    ~results() = default;
    results(const results&) = delete;

    void add(nlohmann::json figure);

    // Throws where the file cannot be written.
    void write();

private:
    std::string file_;
    nlohmann::json all_;
};

// The one in the middle; there must be one.
double median(std::vector<double> of);

} // namespace rowcast::bench
