#include "results.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "support/paths.hpp"
#include "support/process.hpp"

namespace rowcast::bench {
namespace {

using nlohmann::json;

// Of the last minute.
double load()
{
    double average = 0;
    std::ifstream("/proc/loadavg") >> average;
    return average;
}

std::string processor()
{
    std::ifstream lines("/proc/cpuinfo");
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(": ") + 2);
        }
    }
    return "unknown";
}

std::string kernel()
{
    utsname names{};
    ::uname(&names);
    return std::string(names.sysname) + " " + names.release;
}

std::string postgresql()
{
    const std::string programs = support::run({support::source_dir() / "tests/support/cluster", "bindir"});
    const std::string version = support::run({programs + "/postgres", "--version"}); // "postgres (PostgreSQL) 15.14 (Debian ...)\n"
    return "PostgreSQL " + version.substr(version.find(") ") + 2, version.find_last_not_of('\n') - version.find(") ") - 1);
}

std::string day()
{
    char text[16];
    const std::time_t now = std::time(nullptr);
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now))};
}

} // namespace

results::results(CLI::App& app, std::string benchmark)
{
    app.add_option("--json", file_, "the figures go there too");
    all_ = {{"benchmark", std::move(benchmark)}, {"load_before", load()}, {"figures", json::array()}};
}

void results::add(json figure)
{
    all_["figures"].push_back(std::move(figure));
}

void results::write()
{
    if (file_.empty()) {
        return;
    }
    all_["load_after"] = load();
    all_["day"] = day();
    all_["machine"] = {{"processor", processor()}, {"cores", std::thread::hardware_concurrency()}, {"kernel", kernel()}, {"postgresql", postgresql()}};
    std::ofstream out(file_);
    if (!(out << all_.dump(1) << '\n').flush()) {
        throw std::runtime_error("cannot write " + file_);
    }
}

double median(std::vector<double> of)
{
    const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
    std::nth_element(of.begin(), middle, of.end());
    return *middle;
}

} // namespace rowcast::bench
