#pragma once

#include "core/result.hpp"
#include "core/value.hpp"
#include "policy/identity.hpp"
#include "policy/predicate.hpp"
#include "policy/set.hpp"
#include "policy/table.hpp"
#include "policy/visibility.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rowcast::policy {

struct rule {
    std::vector<std::string> roles;                  // empty: every role
    predicate where;                                 // default: every row
    std::optional<std::vector<std::string>> columns; // nothing: every captured column
    core::mark at;
};

// What the configuration's `tables` and `channels` say. Deny by default. Immutable once built; any thread.
struct rules {
    std::map<std::string, std::vector<rule>, std::less<>> tables;    // by table name
    std::vector<std::pair<std::string, std::vector<rule>>> channels; // by pattern: `*` stands for anything, at the end
    std::map<std::string, set_definition_ptr, std::less<>> sets;      // by name
};

// Whether the rule is for one of the user's roles.
bool is_for(const rule& candidate, const identity& who);

// Whether it gives the columns of the key, without which a client cannot tell rows apart: a rule that does not gives nothing.
bool gives_key(const rule& candidate, const table& over);

// Whether rules for `pattern` are rules for this channel.
bool matches_channel(std::string_view pattern, std::string_view channel);

// What a client asks of one table.
struct table_request {
    predicate where;                                 // over readable columns only
    std::optional<std::vector<std::string>> columns; // nothing: all readable ones
    bool old = false;
};

// The sets that decide what this user sees of a table, or whether they may listen to a channel: to be loaded into the
// identity before it is authorized. Each once. One whose claim the user's token does not have, or has as a list or an
// object, is left out: rules over it give them nothing.
std::vector<set_call> needed_sets(const rules& all, std::string_view table, const identity& who);
std::vector<set_call> needed_sets_of_channel(const rules& all, std::string_view channel, const identity& who);

// What this user sees of the table through this request. Fails with forbidden (no rule is for any of their roles),
// unknown_column, forbidden_column (asked for, or filtered by, a column that no rule of theirs gives), bad_filter.
core::result<visibility> authorize(const rules& all, const std::shared_ptr<const table>& over, const identity& who,
                                   const table_request& wanted);

// What the `where` of a channel's rule is over: the one text column `channel`.
const table& channel_table();

// Fails with forbidden.
core::result<void> authorize_channel(const rules& all, std::string_view channel, const identity& who);

} // namespace rowcast::policy
