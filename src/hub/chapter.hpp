#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/batch.hpp"
#include "hub/view.hpp"
#include "policy/table.hpp"

namespace rowcast::hub {

// Some pages, one behind the other, as those get them who catch up. The hub finds the views of a change; they come
// later, each with a view of its own, and find the changes of their view: ten thousand who were away do not each look
// at everything that has happened. Any thread.
class chapter {
public:
    explicit chapter(std::vector<core::batch_ptr> pages) : pages_(std::move(pages)) {}

    struct place {
        std::uint32_t page = 0;
        std::uint32_t ordinal = 0; // the change's index in it
        auto operator<=>(const place&) const = default;
    };

    const std::vector<core::batch_ptr>& pages() const { return pages_; }

    // The changes that may concern the view, or what its subscriber's rights hang on: from `from` on, before `to`, in
    // their order, each once.
    std::vector<place> candidates(const view_spec& view, place from, place to) const;

private:
    using places = std::vector<place>;
    using column = std::pair<std::string, policy::type_family>;
    using values = std::vector<std::pair<std::uint64_t, place>>; // a value's hash and a change that has it; ascending

    struct by_table {
        places all;
        places of_everybody;
        std::map<column, values> columns;
    };
    struct index {
        std::unordered_map<std::string_view, by_table> tables;
        std::unordered_map<std::string_view, places> channels;
    };

    const core::change& at(place of) const { return pages_[of.page]->changes[of.ordinal]; }
    index& indexed() const;
    const values* find(by_table& changes, const policy::column& over) const;
    places look_up(by_table& changes, const policy::visibility& through, place from, place to) const;

    const std::vector<core::batch_ptr> pages_;
    mutable std::mutex mutex_; // of the index while it is made, when somebody asks, and of each table's columns
    mutable std::unique_ptr<index> index_;
};

using chapter_ptr = std::shared_ptr<const chapter>;

} // namespace rowcast::hub
