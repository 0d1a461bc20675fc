#pragma once

#include "core/change.hpp"
#include "policy/rules.hpp"
#include "policy/truth.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rowcast::policy {

// Why a user gets a change, or does not: every rule of the table held against the row, condition by condition. For people
// who look after rowcast, not for clients: it names columns and values that the user may not see. What is long in them is
// there with its beginning only.

// A predicate as it was written, with what came of it for one row.
struct explained_predicate {
    struct condition {
        std::string text; // `owner_id eq $claims.sub`
        std::string reference; // `$claims.sub`; empty where the value stands in the rule itself
        std::optional<core::value> compared; // what the reference stands for; nothing: the user has none
        std::optional<std::string> value; // the row's, as raw JSON; nothing: not in the log, as the row was too large
        std::string remark; // why it cannot be told, or what is odd about it; mostly empty
    };

    struct group {
        predicate::group::kind of;
        std::vector<explained_predicate> parts; // all of them, also those that no longer decided anything
    };

    outcomes holds = truth::yes; // several where the row was too large for the log and the columns are not known
    std::variant<group, condition> what = group{predicate::group::kind::all, {}};
};

struct explained_rule {
    std::size_t number = 0; // from 1, in the order of the file
    core::mark at;
    std::vector<std::string> roles;
    std::optional<std::vector<std::string>> columns; // nothing: every captured column
    bool for_user = false;
    std::string misfit; // why it gives nobody anything; empty: it fits the table
    std::optional<explained_predicate> where; // where it is for the user and fits
};

// One version of the row: what was there before an UPDATE, or what is there after it.
struct explained_row {
    std::vector<explained_rule> rules;
    explained_predicate filter; // the client's own
    std::vector<std::string> columns; // which the rules that hold give, in the table's order
    std::vector<std::string> hidden; // columns that the filter names and no rule that holds gives
};

struct explanation {
    enum class verdict {
        sent,    // the user gets the change, in the form of `event` where it is of a row
        nothing, // they do not
        resync,  // the row was too large for the log, and its key alone does not decide: they are told to read again
        refused, // they cannot even subscribe
    };

    verdict what = verdict::nothing;
    std::string reason; // a sentence without its period
    std::shared_ptr<const table> over;
    std::shared_ptr<const core::change> change; // what `event` points into
    std::optional<effect> event;
    std::optional<explained_row> before; // UPDATE, DELETE
    std::optional<explained_row> after;  // INSERT, UPDATE
};

// Why it is not known what a set holds for the user, by the set's name.
using unknown_sets = std::map<std::string, std::string, std::less<>>;

// What a change (which must be of this table, or a message) is to a user who asks for it so. The verdict is the one of
// `authorize` and `visibility::see`, and so what would be delivered; the rest says why.
explanation explain(const rules& all, std::shared_ptr<const table> over, const identity& who,
                    std::shared_ptr<const core::change> change, const table_request& wanted = {},
                    const unknown_sets& unknown = {});

// The same of a channel, whose messages are not looked into: `after` is the row of its name.
explanation explain_channel(const rules& all, const std::string& channel, const identity& who,
                            const unknown_sets& unknown = {});

std::string_view to_string(explanation::verdict what);

// `owner_id eq $claims.sub`, `status in ["open","paid"]`.
std::string to_text(const predicate::condition& condition);

} // namespace rowcast::policy
