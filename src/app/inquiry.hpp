#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "core/result.hpp"
#include "core/value.hpp"
#include "policy/explanation.hpp"
#include "policy/rules.hpp"
#include "policy/table.hpp"
#include "postgres/connection_options.hpp"

namespace rowcast::app {

// What `rowcast explain` and POST /admin/explain ask: what does this user get of that, and why?
struct inquiry {
    // A row by its key, as it is now.
    struct by_key {
        std::string table;
        core::value key;
    };
    // What somebody wrote down: a row that is there (`after` alone), or what has happened to one.
    struct written {
        std::string table;
        std::optional<core::value> before;
        std::optional<core::value> after;
    };
    struct logged {
        std::uint64_t id = 0;
    };
    struct channel {
        std::string name;
    };

    std::variant<channel, by_key, written, logged> what;

    // Who asks for it; neither: somebody without a token.
    std::optional<std::string> token;
    std::optional<core::value> claims; // an object, believed as it is

    policy::table_request wanted{{}, {}, true};
    std::map<std::string, policy::set_value_ptr> sets = {}; // that are not to be read, as somebody wrote down what they hold
};

// From a JSON object (docs/operations.md). Fails with bad_request, bad_filter or unknown_member.
core::result<inquiry> read_inquiry(const core::value& body);

// Where the answer is looked up.
struct sources {
    postgres::connection_options log;  // of changes; and the sets
    postgres::connection_options rows; // a row by its key
    policy::catalog_ptr watched;       // null: read from `log`
};

// Who is asked about is `who`. Without sources, only channels can be asked about, and sets are not known. Blocks while
// PostgreSQL is read. Fails with what is odd about the question; with unavailable or bad_request where PostgreSQL cannot answer.
core::result<policy::explanation> answer(const inquiry& asked, const policy::rules& by, policy::identity who,
                                         const std::optional<sources>& from);

} // namespace rowcast::app
