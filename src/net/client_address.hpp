#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "config/configuration.hpp"
#include "core/address.hpp"

namespace rowcast::net {

// Where somebody comes from. Nothing: through a Unix socket, where nobody has an address.
using origin_address = std::optional<core::address>;

origin_address address_of(const boost::asio::generic::stream_protocol::endpoint& peer);

// 192.0.2.1, or `unix`.
std::string to_string(const origin_address& of);

// Whether it may say for whom it connects.
bool is_trusted(const origin_address& peer, const config::trusted_proxies& proxies);

// For whom a request comes, whose peer is `peer` and whose X-Forwarded-For, all of them in their order, are `forwarded_for`: the
// rightmost address that is no trusted proxy's. Each proxy adds on the right whom it was asked by, so what stands left of that
// is what somebody unknown says. What is no address ends the search at the proxy that said it. Pure.
origin_address find_client(const origin_address& peer, std::string_view forwarded_for, const config::trusted_proxies& proxies);

} // namespace rowcast::net
