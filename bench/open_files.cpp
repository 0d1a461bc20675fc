#include "open_files.hpp"

#include <stdexcept>
#include <string>

#include "net/descriptors.hpp"

namespace rowcast::bench {

void allow_connections(std::size_t many)
{
    net::raise_descriptor_limit();
    // The bridge keeps some for itself; the benchmark needs fewer.
    if (const std::size_t most = net::share_descriptors(net::descriptor_limit()).sessions; most < many) {
        throw std::runtime_error(std::to_string(many) + " clients need more open files than a process may have here, which are enough for " + std::to_string(most) +
                                 ": raise the limit (ulimit -n " + std::to_string(many + 1000) + ", as root or in /etc/security/limits.conf), or ask for fewer clients");
    }
}

} // namespace rowcast::bench
