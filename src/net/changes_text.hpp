#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hub/feed.hpp"
#include "net/marked_cursor.hpp"

namespace rowcast::net {

// Words `changes` for the sessions of one shard. Most whom a change reaches are told the very same, so the last text is kept, with the publications
// that it is of: it is worded once and shared.
class changes_text {
public:
    std::shared_ptr<const std::string> of(const hub::changes& what, const cursor_mark& mark);

private:
    bool says(const hub::changes& what, const cursor_mark& mark) const;
    void keep(const hub::changes& what, const cursor_mark& mark);

    // What the last text says: events and the cursor by where they lie, the names as they were.
    struct event {
        const char* text;
        std::vector<std::string> subs;
    };
    std::string id_;
    std::vector<event> events_;
    const char* cursor_ = nullptr;
    bool more_ = false;
    bool live_ = false;
    std::string mark_;
    std::shared_ptr<const std::string> last_;
    decltype(hub::changes::kept) kept_; // so that nothing else comes to lie there
};

} // namespace rowcast::net
