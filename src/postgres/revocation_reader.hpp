#pragma once

#include <vector>

#include "core/change.hpp"
#include "policy/revocations.hpp"
#include "postgres/connection.hpp"

namespace rowcast::postgres {

// Rings when rowcast.revoke was called.
inline constexpr char revocation_channel[] = "rowcast_revocations";

// Reads rowcast.revocations over one connection: at first all that hold, then what was committed since, and maybe some of
// it again (as with cursors, a transaction may commit after a younger one).
class revocation_reader {
public:
    // Throws what the connection throws.
    std::vector<policy::revocation> read(connection& on);

private:
    core::transaction_id seen_below_ = 0;
};

} // namespace rowcast::postgres
