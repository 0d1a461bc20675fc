#pragma once

#include <memory>
#include <string>

#include "hub/feed.hpp"
#include "net/marked_cursor.hpp"

namespace rowcast::net {

// Words `changes` for the sessions of one shard. Most whom a change reaches are told the very same, so the last text is kept, with the publications
// that it is of: it is worded once and shared.
class changes_text {
public:
    std::shared_ptr<const std::string> of(const hub::changes& what, const cursor_mark& mark);

private:
    std::string key_; // what the last text says, the events by where they lie
    std::string next_key_;
    std::shared_ptr<const std::string> last_;
    decltype(hub::changes::kept) kept_; // so that nothing else comes to lie there
};

} // namespace rowcast::net
