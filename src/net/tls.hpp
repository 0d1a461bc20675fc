#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "config/configuration.hpp"

namespace boost::asio::ssl {
class context;
}

namespace rowcast::net {

using tls_context_ptr = std::shared_ptr<boost::asio::ssl::context>;

// What speaks TLS 1.2 and 1.3 with this certificate, as Mozilla's "intermediate" recommendation has it
// (https://wiki.mozilla.org/Security/Server_Side_TLS); null where there is none. Reads both files; throws std::invalid_argument where they
// are missing, no PEM, not of each other, or encrypted.
tls_context_ptr make_tls_context(const std::optional<config::tls>& of);

// How long its certificate is still valid; negative: it has expired.
std::chrono::seconds remaining_validity(boost::asio::ssl::context& of);

} // namespace rowcast::net
