#pragma once

#include "config/configuration.hpp"
#include "core/result.hpp"

#include <chrono>

namespace rowcast::net {

// How long the certificate (the first of the file) is still valid; negative: it has expired. Fails with a sentence where a
// file cannot be read, or the key is not the certificate's.
core::result<std::chrono::seconds> remaining_validity(const config::tls& files);

} // namespace rowcast::net
