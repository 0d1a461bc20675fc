#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "core/result.hpp"

namespace rowcast::auth {

struct fetched {
    std::string body;
    std::optional<std::chrono::seconds> fresh_for; // Cache-Control: max-age
};

// Reads an https address, or an http one of this machine; by libcurl, with the system's certificates. Fails with a
// sentence after `at_most`, above a megabyte, for any status but 200, and soon after `cancelled` says yes. Redirects
// are not followed.
core::result<fetched> fetch(const std::string& url, std::chrono::milliseconds at_most, const std::function<bool()>& cancelled);

} // namespace rowcast::auth
