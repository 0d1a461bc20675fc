#include "protocol/url_request.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "core/cursor.hpp"
#include "core/excerpt.hpp"
#include "core/nearest.hpp"
#include "core/whole_number.hpp"
#include "protocol/query_string.hpp"
#include "protocol/url_filter.hpp"

namespace rowcast::protocol {
namespace {

using core::excerpt;
using core::failure;
using core::result;

constexpr std::array<std::string_view, 6> of_subscription{"table", "channel", "columns", "events", "old", "snapshot"};
constexpr std::array<std::string_view, 11> all_reserved{"table",    "channel", "columns", "events", "old",         "snapshot",
                                                        "sub",      "after",   "limit",   "wait",   "access_token"};

failure bad(std::string message)
{
    return {core::error_code::bad_request, std::move(message)};
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool belongs(std::string_view name, resource of)
{
    if (name == "limit") {
        return of != resource::sse;
    }
    if (name == "wait") {
        return of == resource::changes;
    }
    if (name == "after" || name == "events" || name == "old" || name == "snapshot") {
        return of != resource::rows;
    }
    return true;
}

result<bool> flag(const parameter& given)
{
    if (given.value != "true" && given.value != "false") {
        return bad("'" + given.name + "' is true or false, not " + excerpt(given.value));
    }
    return given.value == "true";
}

result<unsigned> count(const parameter& given, unsigned least, unsigned most)
{
    const auto out = core::whole_number<unsigned>(given.value);
    if (!out || *out < least || *out > most) {
        return bad("'" + given.name + "' is a number from " + std::to_string(least) + " to " + std::to_string(most) +
                   ", not " + excerpt(given.value));
    }
    return *out;
}

// Names between commas; one that has a comma or a quote itself is quoted as in SQL: "odd, ""name""".
result<std::vector<std::string>> names(const parameter& given)
{
    std::vector<std::string> out;
    std::string_view rest = given.value;
    for (;;) {
        std::string name;
        if (rest.starts_with('"')) {
            std::size_t i = 1;
            for (; i < rest.size() && (rest[i] != '"' || rest.substr(i).starts_with("\"\"")); ++i) {
                i += rest[i] == '"' ? 1 : 0;
                name += rest[i];
            }
            if (i >= rest.size()) {
                return bad("'" + given.name + "': a quoted name is not closed with \"");
            }
            rest.remove_prefix(i + 1);
            if (!rest.empty() && rest.front() != ',') {
                return bad("'" + given.name + "': expected a comma at " + excerpt(rest));
            }
        } else {
            const std::size_t end = std::min(rest.find(','), rest.size());
            name = rest.substr(0, end);
            rest.remove_prefix(end);
        }
        out.push_back(std::move(name));
        if (rest.empty()) {
            return out;
        }
        rest.remove_prefix(1);
    }
}

// The parameters of one subscription, gathered.
class wish_reader {
public:
    wish_reader(std::string id, resource of) : of_(of) { out_.id = std::move(id); }

    void set_table(std::string name) { table_ = std::move(name); }

    result<void> add(const parameter& given)
    {
        const bool reserved = is_one_of(given.name, of_subscription);
        if (reserved && !belongs(given.name, of_)) {
            return bad("this resource has no parameter '" + given.name + "'");
        }
        // Several conditions on one column are a range; anything else twice is a contradiction.
        if (reserved && (!seen_.insert(given.name).second || (given.name == "table" && table_))) {
            return bad("'" + given.name + "' is given twice");
        }
        if (reserved && given.value.empty()) {
            return bad("'" + given.name + "' is empty");
        }
        return reserved ? add_option(given) : add_filter(given);
    }

    result<wish> finish()
    {
        if (table_.has_value() == channel_.has_value()) {
            return bad(table_ ? "a subscription is to a 'table' or to a 'channel', not to both"
                              : "a subscription needs a 'table' or a 'channel'");
        }
        if (auto fine = check_name(table_ ? "table" : "channel", table_ ? *table_ : *channel_, longest_name); !fine) {
            return fine.error();
        }
        if (channel_) {
            if (!filters_.empty() || seen_.size() > 1) {
                return bad("a channel has no filters, columns, events or snapshot");
            }
            out_.to = wish::channel{std::move(*channel_)};
        } else {
            request_.name = std::move(*table_);
            if (!filters_.empty()) {
                const core::value tree{core::object{{"and", {std::move(filters_)}}}};
                auto where = policy::predicate::parse(tree, false);
                if (!where) {
                    return where.error();
                }
                request_.wanted.where = *where;
            }
            out_.to = std::move(request_);
        }
        return std::move(out_);
    }

private:
    result<void> add_option(const parameter& given)
    {
        if (given.name == "table") {
            table_ = given.value;
        } else if (given.name == "channel") {
            channel_ = given.value;
        } else if (given.name == "columns") {
            return add_columns(given);
        } else if (given.name == "events") {
            return add_events(given);
        } else {
            auto on = flag(given);
            if (!on) {
                return on.error();
            }
            (given.name == "old" ? request_.wanted.old : out_.snapshot) = *on;
        }
        return {};
    }

    result<void> add_columns(const parameter& given)
    {
        auto listed = names(given);
        if (!listed) {
            return listed.error();
        }
        std::vector<std::string> columns;
        for (std::string& name : *listed) {
            if (auto added = add_column(columns, std::move(name)); !added) {
                return added;
            }
        }
        request_.wanted.columns = std::move(columns);
        return {};
    }

    result<void> add_events(const parameter& given)
    {
        auto listed = names(given);
        if (!listed) {
            return listed.error();
        }
        for (const std::string& name : *listed) {
            auto event = parse_event(name);
            if (!event) {
                return event.error();
            }
            request_.events.insert(*event);
        }
        return {};
    }

    result<void> add_filter(const parameter& given)
    {
        auto filter = parse_url_filter(given.name, given.value);
        if (!filter) {
            // A misspelt parameter looks like a filter on a column that nobody has.
            return failure{filter.error().code, filter.error().message + core::did_you_mean(given.name, all_reserved)};
        }
        filters_.push_back(std::move(*filter));
        return {};
    }

    const resource of_;
    wish out_;
    wish::table request_;
    std::optional<std::string> table_;
    std::optional<std::string> channel_;
    core::list filters_;
    std::set<std::string, std::less<>> seen_;
};

// NAME:public.orders?status=eq.open
result<wish> parse_sub(std::string_view text, resource of)
{
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        return bad("'sub' is NAME:TABLE?FILTERS, not " + excerpt(text));
    }
    const std::string name(text.substr(0, colon));
    if (auto fine = check_name("sub", name, longest_id); !fine) {
        return fine.error();
    }
    text.remove_prefix(colon + 1);
    wish_reader read(name, of);
    const std::size_t mark = std::min(text.find('?'), text.size());
    if (mark > 0) {
        auto table = percent_decode(text.substr(0, mark), false);
        if (!table) {
            return table.error();
        }
        read.set_table(std::move(*table));
    }
    auto parameters = parse_query(text.substr(std::min(mark + 1, text.size())));
    if (!parameters) {
        return parameters.error();
    }
    for (const parameter& given : *parameters) {
        if (is_one_of(given.name, all_reserved) && !is_one_of(given.name, of_subscription)) {
            return bad("'" + given.name + "' does not belong into 'sub': it holds for the whole request");
        }
        if (auto added = read.add(given); !added) {
            return added.error();
        }
    }
    return read.finish();
}

// What a subscription may ask of some resources only.
result<void> check_resource(const wish& wanted, resource of)
{
    if (of == resource::changes && wanted.snapshot) {
        return bad("this resource has no parameter 'snapshot': read /v1/rows, then go on after its cursor");
    }
    if (of == resource::rows && !std::holds_alternative<wish::table>(wanted.to)) {
        return bad("a channel has no rows");
    }
    return {};
}

// What holds for the whole request.
result<void> add_common(url_request& out, const parameter& given)
{
    if (given.value.empty()) {
        return bad("'" + given.name + "' is empty");
    }
    if (given.name == "after") {
        if (given.value.size() > core::cursor_codec::longest) {
            return failure{core::error_code::cursor_malformed, "'after' is longer than any cursor"};
        }
        out.after = given.value;
    } else if (given.name == "access_token") {
        out.access_token = given.value;
    } else if (given.name == "limit") {
        auto limit = count(given, 1, most_events);
        if (!limit) {
            return limit.error();
        }
        out.limit = *limit;
    } else {
        auto wait = count(given, 0, static_cast<unsigned>(longest_wait.count()));
        if (!wait) {
            return wait.error();
        }
        out.wait = std::chrono::seconds(*wait);
    }
    return {};
}

} // namespace

result<url_request> parse_url_request(std::string_view query, resource of)
{
    auto parameters = parse_query(query);
    if (!parameters) {
        return parameters.error();
    }
    url_request out;
    out.limit = of == resource::rows ? 0 : out.limit;
    wish_reader only("", of);
    bool any = false;
    std::set<std::string, std::less<>> seen;
    for (const parameter& given : *parameters) {
        const bool common = is_one_of(given.name, all_reserved) && !is_one_of(given.name, of_subscription);
        if (given.name == "sub") {
            auto wanted = parse_sub(given.value, of);
            if (!wanted) {
                return wanted.error();
            }
            const auto same = [&](const wish& other) { return other.id == wanted->id; };
            if (std::any_of(out.wishes.begin(), out.wishes.end(), same)) {
                return failure{core::error_code::duplicate_subscription, "two 'sub' have the name " + excerpt(wanted->id)};
            }
            out.wishes.push_back(std::move(*wanted));
        } else if (common) {
            if (!belongs(given.name, of)) {
                return bad("this resource has no parameter '" + given.name + "'");
            }
            if (!seen.insert(given.name).second) {
                return bad("'" + given.name + "' is given twice");
            }
            if (auto added = add_common(out, given); !added) {
                return added.error();
            }
        } else {
            any = true;
            if (auto added = only.add(given); !added) {
                return added.error();
            }
        }
    }
    out.named = !out.wishes.empty();
    if (out.named && any) {
        return bad("either 'sub' or one subscription's own parameters, not both");
    }
    if (!out.named) {
        auto wanted = only.finish();
        if (!wanted) {
            return wanted.error();
        }
        out.wishes.push_back(std::move(*wanted));
    }
    for (const wish& each : out.wishes) {
        if (auto fits = check_resource(each, of); !fits) {
            return fits.error();
        }
    }
    return out;
}

} // namespace rowcast::protocol
