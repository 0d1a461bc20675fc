#pragma once

#include "cli/terminal.hpp"
#include "core/change.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace rowcast::cli {

// Changes for people: a heading a transaction, then tables as psql prints them, one for each run of changes of one kind
// to one table. An UPDATE shows the key and what changed, old and new.
//
//     transaction 7421, 10:00:00.123
//      UPDATE public.orders
//      id |    status
//     ----+---------------
//      42 | open → paid
//
// Pure: it makes text, which is safe for a terminal whatever the rows hold.
class change_printer {
public:
    using key_of = std::function<std::vector<std::string>(const std::string& table)>;

    change_printer(bool coloured, std::size_t width, key_of keys)
        : paint_(coloured)
        , width_(width)
        , keys_(std::move(keys))
    {
    }

    // Changes in their order; a transaction that goes on from the last call gets no second heading.
    std::string print(const std::vector<const core::change*>& changes);

private:
    using run = std::vector<const core::change*>;

    std::string heading(const core::change& first);
    std::string block(const run& changes) const;
    std::string rows_block(const run& changes) const;

    painter paint_;
    std::size_t width_;
    key_of keys_;
    core::transaction_id transaction_ = 0;
};

// One change as one line of JSON, in the form that a subscriber to everything receives (DESIGN "What a subscriber receives").
std::string change_json(const core::change& change, const std::vector<std::string>& key);

} // namespace rowcast::cli
