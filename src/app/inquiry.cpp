#include "app/inquiry.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/excerpt.hpp"
#include "core/nearest.hpp"
#include "core/whole_number.hpp"
#include "policy/literal_row.hpp"
#include "postgres/catalog_reader.hpp"
#include "postgres/set_reader.hpp"
#include "postgres/single_reads.hpp"

namespace rowcast::app {
namespace {

using core::error_code;
using core::failure;
using core::result;
using change_ptr = std::shared_ptr<const core::change>;

constexpr std::array<std::string_view, 10> members{"table", "row", "key", "change", "channel", "token", "claims", "sets", "where", "columns"};

failure bad(std::string why)
{
    return {error_code::bad_request, std::move(why)};
}

failure kind_of(std::string_view name, std::string_view wanted, const core::value& given)
{
    return bad("'" + std::string(name) + "' takes " + std::string(wanted) + ", not " + std::string(given.kind()));
}

result<std::optional<std::string>> text(const core::value& body, std::string_view name)
{
    const core::value* given = body.find(name);
    if (!given) {
        return std::optional<std::string>();
    }
    const std::string* found = given->as_string();
    if (!found || found->empty()) {
        return found ? bad("'" + std::string(name) + "' is empty") : kind_of(name, "a text", *given);
    }
    return std::optional(*found);
}

result<std::optional<core::value>> object(const core::value& body, std::string_view name, std::string_view form)
{
    const core::value* given = body.find(name);
    if (given && !given->as_object()) {
        return kind_of(name, "an object, like " + std::string(form), *given);
    }
    return given ? std::optional(*given) : std::nullopt;
}

// The id of an event, a text on the wire; a number will do.
std::optional<std::uint64_t> read_id(const core::value& given)
{
    const std::string* text = given.as_number() ? &given.as_number()->digits : given.as_string();
    return text ? core::whole_number<std::uint64_t>(*text) : std::nullopt;
}

result<inquiry::written> read_change(const std::string& table, const core::value& given)
{
    for (const auto& [name, row] : *given.as_object()) {
        if (name != "old" && name != "new") {
            return failure{error_code::unknown_member, "a change has 'old' and 'new', and no member " + core::excerpt(name)};
        }
    }
    auto before = object(given, "old", "{\"id\":42}");
    auto after = object(given, "new", "{\"id\":42}");
    if (!before || !after) {
        return (!before ? before : after).error();
    }
    if (!*before && !*after) {
        return bad("'change' has 'new' (an INSERT), 'old' (a DELETE), or both (an UPDATE)");
    }
    return inquiry::written{table, std::move(*before), std::move(*after)};
}

result<void> read_what(const core::value& body, inquiry& into)
{
    const auto table = text(body, "table");
    const auto channel = text(body, "channel");
    auto row = object(body, "row", "{\"id\":42,\"status\":\"open\"}");
    auto key = object(body, "key", "{\"id\":42}");
    if (!table || !channel) {
        return (!table ? table : channel).error();
    }
    if (!row || !key) {
        return (!row ? row : key).error();
    }
    const core::value* change = body.find("change");
    const bool is_written = change && change->as_object();
    if ((*row ? 1 : 0) + (*key ? 1 : 0) + (change ? 1 : 0) + (*channel ? 1 : 0) != 1) {
        return bad("what about? Give one of 'row', 'key', 'change' and 'channel'");
    }
    if ((*row || *key || is_written) != table->has_value()) {
        return bad(*table ? "'table' is for 'row', 'key' or a 'change' that is written down" : "of which table? 'table' is missing");
    }
    if (*channel) {
        into.what = inquiry::channel{**channel};
    } else if (*key) {
        into.what = inquiry::by_key{**table, std::move(**key)};
    } else if (*row) {
        into.what = inquiry::written{**table, std::nullopt, std::move(*row)};
    } else if (is_written) {
        auto read = read_change(**table, *change);
        if (!read) {
            return read.error();
        }
        into.what = std::move(*read);
    } else if (const auto id = read_id(*change)) {
        into.what = inquiry::logged{*id};
    } else {
        return bad("'change' takes the 'id' of an event, or {\"old\":{...},\"new\":{...}}");
    }
    return {};
}

result<void> read_who(const core::value& body, inquiry& into)
{
    auto token = text(body, "token");
    auto claims = object(body, "claims", "{\"sub\":\"7\",\"roles\":[\"customer\"]}");
    auto sets = object(body, "sets", "{\"my_rooms\":[\"a\",\"b\"]}");
    if (!token) {
        return token.error();
    }
    if (!claims || !sets) {
        return (!claims ? claims : sets).error();
    }
    if (*token && *claims) {
        return bad("'token' has the claims already: give one of the two");
    }
    into.token = std::move(*token);
    into.claims = std::move(*claims);
    for (const auto& [name, values] : *sets ? *(*sets)->as_object() : core::object()) {
        auto made = policy::literal_set(name, values);
        if (!made) {
            return made.error();
        }
        into.sets[name] = std::move(*made);
    }
    return {};
}

result<void> read_wish(const core::value& body, policy::table_request& into)
{
    const auto where = object(body, "where", "{\"status\":\"open\"}");
    if (!where) {
        return where.error();
    }
    if (*where) {
        auto filter = policy::predicate::parse(**where, false);
        if (!filter) {
            return failure{filter.error().code, "'where': " + filter.error().message};
        }
        into.where = std::move(*filter);
    }
    if (const core::value* columns = body.find("columns")) {
        const core::list* names = columns->as_list();
        if (!names || !std::all_of(names->begin(), names->end(), [](const core::value& each) { return each.as_string() != nullptr; })) {
            return bad("'columns' takes a list of names");
        }
        into.columns.emplace();
        for (const core::value& each : *names) {
            into.columns->push_back(*each.as_string());
        }
    }
    return {};
}

std::shared_ptr<const policy::table> find_table(const policy::catalog& watched, const std::string& name)
{
    const auto found = watched.find(name);
    return found ? found : watched.find("public." + name);
}

failure not_watched(const policy::catalog& watched, const std::string& name)
{
    std::vector<std::string_view> names;
    for (const auto& [each, table] : watched.tables) {
        names.push_back(each);
    }
    return {error_code::unknown_table, name + " is not watched" + core::did_you_mean(name, names)};
}

// Only a data exception is the question's fault, as of a key that is none of its type.
error_code code_of(const postgres::database_error& refused)
{
    if (refused.sqlstate() == "57014") { // it took too long
        return error_code::unavailable;
    }
    return refused.sqlstate().starts_with("22") ? error_code::bad_request : error_code::internal;
}

// What somebody asks about, looked up in PostgreSQL where it is there.
class reader {
public:
    reader(const inquiry& asked, const policy::rules& by, policy::identity who, const sources& from)
        : asked_(asked), rules_(by), who_(std::move(who)), from_(from)
    {
        who_.sets.insert(asked.sets.begin(), asked.sets.end());
    }

    result<policy::explanation> answer(const inquiry::channel& about)
    {
        read_sets(policy::needed_sets_of_channel(rules_, about.name, who_));
        return unless_unavailable(policy::explain_channel(rules_, about.name, who_, unknown_));
    }

    result<policy::explanation> answer(const inquiry::by_key& about)
    {
        const auto over = find_table(watched(), about.table);
        if (!over) {
            return not_watched(watched(), about.table);
        }
        postgres::connection on(from_.rows);
        auto row = postgres::read_one_row(on, *over, about.key);
        if (!row) {
            return row.error();
        }
        core::change made;
        made.op = made.cause = core::operation::insert;
        made.table = over->name;
        made.durable = false;
        made.after = std::move(*row);
        return explain(over, std::move(made));
    }

    result<policy::explanation> answer(const inquiry::written& about)
    {
        const auto over = find_table(watched(), about.table);
        if (!over) {
            return not_watched(watched(), about.table);
        }
        auto made = policy::literal_change(*over, about.before, about.after);
        return made ? explain(over, std::move(*made)) : made.error();
    }

    result<policy::explanation> answer(const inquiry::logged& about)
    {
        auto change = postgres::read_one_change(log(), about.id);
        if (!change) {
            return change.error();
        }
        if (change->op == core::operation::message) {
            return answer(inquiry::channel{change->channel});
        }
        const auto over = watched().find(change->table);
        return over ? explain(over, std::move(*change)) : not_watched(watched(), change->table);
    }

private:
    postgres::connection& log()
    {
        if (!log_) {
            log_ = std::make_unique<postgres::connection>(from_.log);
        }
        return *log_;
    }

    const policy::catalog& watched()
    {
        if (!from_.watched) {
            from_.watched = postgres::read_catalog(log());
        }
        return *from_.watched;
    }

    result<policy::explanation> explain(const std::shared_ptr<const policy::table>& over, core::change change)
    {
        read_sets(policy::needed_sets(rules_, over->name, who_));
        return unless_unavailable(policy::explain(rules_, over, who_, std::make_shared<const core::change>(std::move(change)),
                                                  asked_.wanted, unknown_));
    }

    // As set_store reads them: one whose query is wrong gives nothing, one that cannot be read now turns away who needs it.
    void read_sets(std::vector<policy::set_call> needed)
    {
        std::erase_if(needed, [&](const policy::set_call& each) { return who_.sets.contains(each.of->name); });
        const observe::sink quiet = [](const observe::observation&) {};
        postgres::set_reader reading(from_.log, quiet, nullptr);
        for (const policy::set_call& each : needed) {
            const auto how = reading.prepare(*each.of, watched());
            if (!how.problem.empty()) {
                unknown_[each.of->name] = how.problem;
                continue;
            }
            auto content = std::move(reading.read(how, {each.arguments}, {}).front());
            if (!content.problem.empty()) {
                unavailable_ = content.is_unreadable() ? each.of->name : unavailable_;
                unknown_[each.of->name] = std::move(content.problem);
                continue;
            }
            who_.sets[each.of->name] =
                std::make_shared<const policy::set_value>(each, 0, how.plan, std::move(content.texts), content.has_null);
        }
    }

    policy::explanation unless_unavailable(policy::explanation found)
    {
        if (!unavailable_.empty()) {
            found.what = policy::explanation::verdict::refused;
            found.reason = "the set '" + unavailable_ + "' cannot be read, so that who needs it is told `unavailable`: " +
                           unknown_[unavailable_];
            found.event.reset();
        }
        return found;
    }

    const inquiry& asked_;
    const policy::rules& rules_;
    policy::identity who_;
    sources from_;
    std::unique_ptr<postgres::connection> log_;
    policy::unknown_sets unknown_;
    std::string unavailable_; // a set that can be read another time, perhaps
};

} // namespace

result<inquiry> read_inquiry(const core::value& body)
{
    for (const auto& [name, given] : *body.as_object()) {
        if (std::find(members.begin(), members.end(), name) == members.end()) {
            return failure{error_code::unknown_member,
                           "nothing is asked by " + core::excerpt(name) + core::did_you_mean(name, members)};
        }
    }
    inquiry made;
    for (const auto& read : {read_what(body, made), read_who(body, made), read_wish(body, made.wanted)}) {
        if (!read) {
            return read.error();
        }
    }
    return made;
}

result<policy::explanation> answer(const inquiry& asked, const policy::rules& by, policy::identity who,
                                   const std::optional<sources>& from)
{
    if (!from) {
        const auto* channel = std::get_if<inquiry::channel>(&asked.what);
        if (!channel) {
            return bad("without a database the tables' columns are not known");
        }
        who.sets.insert(asked.sets.begin(), asked.sets.end());
        return policy::explain_channel(by, channel->name, who);
    }
    try {
        reader reading(asked, by, std::move(who), *from);
        return std::visit([&](const auto& about) { return reading.answer(about); }, asked.what);
    } catch (const postgres::connection_lost& lost) {
        return failure{error_code::unavailable, lost.what()};
    } catch (const postgres::database_error& refused) {
        return failure{code_of(refused), refused.what()};
    }
}

} // namespace rowcast::app
