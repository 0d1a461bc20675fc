#pragma once

#include "core/change.hpp"
#include "postgres/connection.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace rowcast::postgres {

// What a bridge says about itself.
struct bridge_report {
    std::string id; // a uuid, another one after each start
    std::string host;
    int process = 0;
    std::chrono::system_clock::time_point started;
    std::size_t sessions = 0;
    std::size_t subscriptions = 0;
    std::size_t catching_up = 0;
    std::optional<core::transaction_id> slowest;  // as in hub::standing
    std::optional<core::transaction_id> position; // all transactions below have been read
    std::string doorbell;
    std::chrono::milliseconds retention_age{0};
    std::uint64_t retention_bytes = 0;
};

// This bridge's row in rowcast.bridges. Each writing draws a transaction id, with which every cursor moves on; so there is
// one a minute, and when there is something new.
class bridge_register {
public:
    using seconds = std::chrono::duration<double>;

    // The age of the oldest change that some client has not been given: nothing where it was not asked, zero where there
    // is none. Throws what the connection throws.
    std::optional<seconds> report(connection& on, const bridge_report& now);

    // Removes the row, if there may be one.
    void leave(connection& on);
    bool is_entered() const { return !id_.empty(); }

private:
    bool has_news(const connection& on, const bridge_report& now) const;

    std::string id_;
    bridge_report last_;
    int backend_ = 0;
    std::chrono::steady_clock::time_point said_{};
};

} // namespace rowcast::postgres
