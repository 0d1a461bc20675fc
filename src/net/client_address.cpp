#include "net/client_address.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace rowcast::net {
namespace {

// nginx's word for a peer on a Unix socket, in $proxy_add_x_forwarded_for.
constexpr std::string_view unix_peer = "unix:";

std::string_view trim(std::string_view text)
{
    const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(first);
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// As proxies write it, some of them with the port: 192.0.2.1:4711, [2001:db8::1]:4711.
std::optional<core::address> read_address(std::string_view text)
{
    std::string_view address = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = std::min(text.find(']'), text.size() - 1);
        address = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (text[end] != ']') {
            return std::nullopt;
        }
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
        address = text.substr(0, colon);
        port = text.substr(colon);
    }
    const bool fits = port.empty() || (port.starts_with(':') && core::is_port(port.substr(1)));
    return fits ? core::address::parse(address) : std::nullopt;
}

} // namespace

origin_address address_of(const boost::asio::generic::stream_protocol::endpoint& peer)
{
    if (peer.data()->sa_family == AF_INET) {
        sockaddr_in from{};
        std::memcpy(&from, peer.data(), std::min(sizeof from, peer.size()));
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &from.sin_addr, bytes.size());
        return core::address::v4(bytes);
    }
    if (peer.data()->sa_family == AF_INET6) {
        sockaddr_in6 from{};
        std::memcpy(&from, peer.data(), std::min(sizeof from, peer.size()));
        core::address made;
        std::memcpy(made.bytes.data(), &from.sin6_addr, made.bytes.size());
        return made;
    }
    return std::nullopt;
}

std::string to_string(const origin_address& of)
{
    return of ? of->to_string() : "unix";
}

bool is_trusted(const origin_address& peer, const config::trusted_proxies& proxies)
{
    return peer ? std::any_of(proxies.networks.begin(), proxies.networks.end(), [&](const auto& each) { return each.contains(*peer); })
                : proxies.unix_sockets;
}

origin_address find_client(const origin_address& peer, std::string_view forwarded_for, const config::trusted_proxies& proxies)
{
    origin_address client = peer;
    while (!forwarded_for.empty() && is_trusted(client, proxies)) {
        const std::size_t comma = forwarded_for.rfind(',');
        const std::string_view last = trim(forwarded_for.substr(comma == std::string_view::npos ? 0 : comma + 1));
        const auto said = read_address(last);
        if (!said && last != unix_peer) {
            break;
        }
        client = said;
        forwarded_for = forwarded_for.substr(0, comma == std::string_view::npos ? 0 : comma);
    }
    return client;
}

} // namespace rowcast::net
