#include "config/expectations_reader.hpp"

#include "config/rules_reader.hpp"

#include <algorithm>
#include <array>

namespace rowcast::config {
namespace {

using answer = expectation::answer;

// An object, or nothing and a problem.
std::optional<core::value> object(section& from, std::string_view key, std::string_view form)
{
    const core::value* value = from.raw(key);
    if (!value) {
        return std::nullopt;
    }
    if (!value->as_object()) {
        from.complain(*value, key, "takes " + std::string(form) + ", not " + describe(*value));
        return std::nullopt;
    }
    return *value;
}

std::optional<answer> read_answer(section& from, bool of_a_row)
{
    const core::value* value = from.raw("sees");
    if (!value) {
        return std::nullopt;
    }
    answer read{answer::kind::nothing, {}, value->at};
    const std::string* word = value->as_string();
    const bool* flag = value->as_bool();
    if (word && *word == "nothing") {
        return read;
    }
    if (of_a_row && value->as_list() && !value->as_list()->empty()) {
        read.what = answer::kind::columns;
        from.texts("sees", read.columns);
        std::sort(read.columns.begin(), read.columns.end());
    } else if (of_a_row ? word && *word == "row" : flag && *flag) {
        read.what = answer::kind::everything;
    } else {
        from.complain(*value, "sees",
                      of_a_row ? "takes the columns that they see, `row` (all of them) or `nothing`, not " + describe(*value)
                               : "takes true or `nothing`, for a channel, not " + describe(*value));
    }
    return read;
}

void read_gets(section& from, expectation& into)
{
    const core::value* value = from.raw("gets");
    if (!value) {
        return;
    }
    into.gets_at = value->at;
    std::string word;
    from.choice("gets", word, std::array<std::string_view, 4>{"INSERT", "UPDATE", "DELETE", "nothing"});
    core::operation op{};
    if (core::from_string(word, op)) {
        into.gets = op;
    }
}

void read_change(section from, expectation& into)
{
    into.before = object(from, "old", "a row, like {id: 1, status: open}");
    into.after = object(from, "new", "a row, like {id: 1, status: open}");
    if (from.present() && !into.before && !into.after) {
        from.complain({nullptr, from.at()}, "new", "is missing: an INSERT has `new`, a DELETE `old`, and an UPDATE both");
    }
    from.finish();
}

expectation read_one(section from)
{
    expectation made;
    made.at = from.at();
    const core::value here{nullptr, made.at};
    made.claims = object(from, "user", "the claims of a token, like {sub: \"7\", roles: [customer]}");
    made.sets = object(from, "sets", "sets and their values, like {my_rooms: [a, b]}");
    from.text("table", made.table);
    from.text("channel", made.channel);
    const core::value* row = from.raw("row");
    section change = from.inner("change");
    if (made.table.empty() == made.channel.empty()) {
        from.complain(here, "table", "or `channel` says what it is about: one of them");
    } else if (!made.table.empty() && !is_table_name(made.table)) {
        from.complain(*from.raw("table"), "table", "takes a name with its schema, like public.orders");
    } else if (!made.table.empty() && (row != nullptr) == change.present()) {
        from.complain(here, "row", "or `change` says which row: one of them");
    } else if (!made.channel.empty() && (row || change.present())) {
        from.complain(here, "channel", "has no rows");
    }
    if (change.present()) {
        read_change(std::move(change), made);
    } else {
        made.after = object(from, "row", "a row, like {id: 1, status: open}");
    }
    made.sees = read_answer(from, !made.table.empty());
    read_gets(from, made);
    const bool of_a_change = from.raw("change") != nullptr;
    if (of_a_change ? !from.raw("gets") : !made.sees) {
        from.complain(here, of_a_change ? "gets" : "sees", "is missing: what the user is to get");
    } else if (!of_a_change && from.raw("gets")) {
        from.complain(*from.raw("gets"), "gets", "is for a `change`; of a row or a channel write `sees`");
    }
    from.finish();
    return made;
}

} // namespace

std::vector<expectation> read_expectations(section& file)
{
    std::vector<expectation> all;
    file.each("expectations", [&](section each) { all.push_back(read_one(std::move(each))); });
    return all;
}

} // namespace rowcast::config
