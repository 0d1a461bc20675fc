#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "core/batch.hpp"

namespace rowcast::app {

// How much has come of each table since the start, for operators. Any thread.
class traffic {
public:
    struct counts {
        std::uint64_t inserts = 0;
        std::uint64_t updates = 0;
        std::uint64_t deletes = 0;
        std::uint64_t others = 0; // TRUNCATE, RESYNC
    };
    using by_table = std::map<std::string, counts, std::less<>>;

    void add(const core::batch& page);
    by_table now() const;

private:
    mutable std::mutex mutex_;
    by_table counts_;
};

} // namespace rowcast::app
