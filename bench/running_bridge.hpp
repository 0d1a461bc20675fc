#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/process.hpp"

namespace rowcast::bench {

// `rowcast serve` of this build on a database, everybody may see the whole of these tables. The destructor kills it.
class running_bridge {
public:
    // Returns once it is ready; throws, with what it logged, where it does not become so.
    running_bridge(const std::string& database_url, const std::vector<std::string>& tables);
    ~running_bridge();
    running_bridge(const running_bridge&) = delete;

    std::uint16_t port() const noexcept { return port_; }

    // What all its threads have used so far.
    std::chrono::duration<double> cpu() const;

private:
    std::uint16_t port_;
    std::filesystem::path file_;
    std::unique_ptr<support::process> process_;
};

} // namespace rowcast::bench
