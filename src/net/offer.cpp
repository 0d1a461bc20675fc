#include "net/offer.hpp"

#include <cstdint>

namespace rowcast::net {
namespace {

// FNV-1a, 64 bits: different for each transport, so that the users of one are not always those of the other.
std::uint64_t hash_of(std::string_view transport, std::string_view user)
{
    std::uint64_t hash = 14695981039346656037U;
    for (const std::string_view part : {transport, std::string_view(":"), user}) {
        for (const char c : part) {
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
        }
    }
    return hash;
}

} // namespace

bool is_offered(const config::rollout& all, std::string_view transport, std::string_view user)
{
    if (all.force_polling || all.opt_out.contains(user)) {
        return false;
    }
    const unsigned percent = transport == "websocket" ? all.websocket : all.sse;
    return all.opt_in.contains(user) || hash_of(transport, user) % 100 < percent;
}

} // namespace rowcast::net
