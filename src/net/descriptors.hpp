#pragma once

#include <cstddef>

namespace rowcast::net {

// Each connection of a client takes a file descriptor of the process, and so do the bridge's own to PostgreSQL: clients
// are refused before they take what it needs to recover.
struct descriptor_shares {
    std::size_t connections = 0; // of clients, at most
    std::size_t sessions = 0;    // fewer: somebody must still be able to ask how things are
};

// How a limit of so many is shared out. Pure.
descriptor_shares share_descriptors(std::size_t limit);

// The process's limit (RLIMIT_NOFILE).
std::size_t descriptor_limit();

// Raises it to what the process may have; where that fails, everything stays as it is.
void raise_descriptor_limit();

} // namespace rowcast::net
