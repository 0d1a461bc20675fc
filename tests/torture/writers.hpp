#pragma once

#include "torture/account.hpp"
#include "torture/world.hpp"

#include <cstdint>
#include <thread>
#include <vector>

namespace rowcast::torture {

// The application: threads that write until world::writing ends, whatever happens to the server meanwhile.
class writers {
public:
    // `huge`: rows of the largest transactions.
    writers(const world& in, account& to, std::uint64_t seed, unsigned huge);
    ~writers();

private:
    std::vector<std::thread> threads_;
};

} // namespace rowcast::torture
