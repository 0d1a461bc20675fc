#include "net/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace rowcast::net {
namespace {

// Listening, a few for each core, half a dozen connections to PostgreSQL with what they wait by, files of libraries.
constexpr std::size_t own = 64;
// Requests that come and go: health, metrics, tokens.
constexpr std::size_t brief = 32;

} // namespace

descriptor_shares share_descriptors(std::size_t limit)
{
    const std::size_t connections = limit - std::min(own, limit / 2);
    return {connections, connections - std::min(brief, connections / 4)};
}

std::size_t descriptor_limit()
{
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

void raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

} // namespace rowcast::net
