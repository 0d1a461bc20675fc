// For whom a request comes. Three lines: the peer (an address, or anything else for a Unix socket), the trusted proxies as
// server.trusted_proxies has them, with blanks between, and X-Forwarded-For.

#include "net/client_address.hpp"

#include <algorithm>
#include <string>

#include "fuzz/fuzzer.hpp"

namespace rowcast::fuzz {
namespace {

using core::address;
using core::network;

std::string_view cut(std::string_view& from, char at)
{
    const std::size_t end = std::min(from.find(at), from.size());
    const std::string_view first = from.substr(0, end);
    from.remove_prefix(std::min(end + 1, from.size()));
    return first;
}

void check(const address& one)
{
    must(address::parse(one.to_string()) == one, "an address comes back as it was");
    must(one.owner().owner() == one.owner(), "an owner is their own");
}

void check(const network& one)
{
    check(one.first);
    must(one.bits <= 128 && one.contains(one.first), "a network has its first address");
    const auto exact = network::parse(one.to_string());
    must(exact && exact->is_exact() && exact->bits == one.bits && exact->contains(one.first), "a network comes back as what it holds");
    must(one.is_exact() == (*exact == one), "it is exact where it is written so");
}

config::trusted_proxies read_proxies(std::string_view line)
{
    config::trusted_proxies made;
    while (!line.empty()) {
        const std::string_view word = cut(line, ' ');
        if (const auto read = network::parse(word)) {
            check(*read);
            made.networks.push_back(*read);
        }
        made.unix_sockets = made.unix_sockets || word == "unix";
    }
    return made;
}

// As the proxy in front of `peer` adds it.
std::string asked_by(const net::origin_address& peer, std::string_view forwarded_for)
{
    return std::string(forwarded_for) + (forwarded_for.empty() ? "" : ", ") + (peer ? peer->to_string() : "unix:");
}

} // namespace

void parse(std::string_view input)
{
    const net::origin_address peer = address::parse(cut(input, '\n'));
    const config::trusted_proxies proxies = read_proxies(cut(input, '\n'));
    const net::origin_address client = net::find_client(peer, input, proxies);
    if (client) {
        check(*client);
    }
    if (!net::is_trusted(peer, proxies)) {
        must(client == peer, "nobody but a trusted proxy says for whom it asks");
        return;
    }
    if (!net::is_trusted(client, proxies)) {
        must(net::find_client(peer, "192.0.2.66, " + std::string(input), proxies) == client, "what a stranger says about others changes nothing");
    }
    must(net::find_client(peer, asked_by(peer, input), proxies) == client, "one trusted proxy more changes nothing");
}

} // namespace rowcast::fuzz
