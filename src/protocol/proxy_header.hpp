#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "core/address.hpp"
#include "core/result.hpp"

namespace rowcast::protocol {

// What a proxy of the fourth layer says first of a connection: HAProxy's PROXY protocol, versions 1 (a line) and 2 (binary);
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt. What else a header of version 2 may hold (TLVs, its checksum among
// them) is passed over.
struct proxy_header {
    std::size_t size = 0; // what follows is the client's
    // Nothing: the proxy speaks for itself (LOCAL, a health check), or of a client without an address (UNKNOWN, a Unix socket).
    std::optional<core::address> source;
};

struct incomplete_header {};

// From the first bytes of a connection. Fails where they are not, and cannot become, a header. Pure.
std::variant<proxy_header, incomplete_header, core::failure> parse_proxy_header(std::string_view bytes);

// No longer one is taken; incomplete ones end with it.
inline constexpr std::size_t longest_proxy_header = 4096;

} // namespace rowcast::protocol
