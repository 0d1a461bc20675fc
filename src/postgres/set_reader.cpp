#include "postgres/set_reader.hpp"

#include "core/counted.hpp"
#include "postgres/log_statement.hpp"
#include "postgres/wal.hpp"
#include "protocol/json.hpp"

#include <algorithm>
#include <cctype>

namespace rowcast::postgres {
namespace {

// The end of what begins at `at` and has no parameters in it: a quoted text or name, a comment; else `at`.
std::size_t skip_quoted(std::string_view sql, std::size_t at)
{
    const auto after = [&](std::string_view end, std::size_t from) {
        const std::size_t found = sql.find(end, from);
        return found == std::string_view::npos ? sql.size() : found + end.size();
    };
    if (sql[at] == '\'' || sql[at] == '"') {
        const bool escapes = sql[at] == '\'' && at > 0 && (sql[at - 1] == 'e' || sql[at - 1] == 'E');
        for (std::size_t i = at + 1; i < sql.size(); ++i) {
            if (escapes && sql[i] == '\\') {
                ++i;
            } else if (sql[i] == sql[at]) {
                return i + 1; // a doubled one begins the next text
            }
        }
        return sql.size();
    }
    if (sql.substr(at).starts_with("--")) {
        return after("\n", at);
    }
    if (sql.substr(at).starts_with("/*")) {
        std::size_t depth = 0;
        for (std::size_t i = at; i + 1 < sql.size(); ++i) {
            if (sql.substr(i, 2) == "/*") {
                ++depth;
                ++i;
            } else if (sql.substr(i, 2) == "*/") {
                ++i;
                if (--depth == 0) {
                    return i + 1;
                }
            }
        }
        return sql.size();
    }
    if (sql[at] == '$') {
        const auto in_tag = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
        std::size_t end = at + 1;
        while (end < sql.size() && in_tag(sql[end])) {
            ++end;
        }
        const bool is_parameter = end > at + 1 && std::isdigit(static_cast<unsigned char>(sql[at + 1]));
        if (end < sql.size() && sql[end] == '$' && !is_parameter) {
            return after(sql.substr(at, end + 1 - at), end + 1);
        }
    }
    return at;
}

std::string text_of(const core::value& node, std::string_view member)
{
    const core::value* found = node.find(member);
    const std::string* text = found ? found->as_string() : nullptr;
    return text ? *text : std::string();
}

template <class Visit>
void each_node(const core::value& node, Visit visit)
{
    visit(node);
    const core::value* inner = node.find("Plans");
    if (const core::list* all = inner ? inner->as_list() : nullptr) {
        for (const core::value& each : *all) {
            each_node(each, visit);
        }
    }
}

// "((a = b) AND (c = d))": what must hold of every row.
std::vector<std::string> conjuncts(const std::string& condition)
{
    if (!condition.starts_with("((") || !condition.ends_with("))")) {
        return {condition};
    }
    std::vector<std::string> parts;
    const std::string_view inner = std::string_view(condition).substr(1, condition.size() - 2);
    constexpr std::string_view conjunction = " AND ";
    for (std::size_t at = 0; at < inner.size();) {
        if (inner[at] != '(') {
            return {condition};
        }
        const std::size_t begin = at;
        int depth = 0;
        do {
            const std::size_t next = skip_quoted(inner, at);
            if (next != at) {
                at = next;
                continue;
            }
            depth += inner[at] == '(' ? 1 : inner[at] == ')' ? -1 : 0;
            ++at;
        } while (depth > 0 && at < inner.size());
        parts.emplace_back(inner.substr(begin, at - begin));
        if (at < inner.size()) {
            if (!inner.substr(at).starts_with(conjunction)) {
                return {condition};
            }
            at += conjunction.size();
        }
    }
    return parts;
}

std::string quoted(const std::string& name)
{
    std::string out = "\"";
    for (const char c : name) {
        out += c == '"' ? "\"\"" : std::string(1, c);
    }
    return out + '"';
}

// The number of the parameter that the column is compared with in one of the conjuncts.
std::optional<std::size_t> parameter_of(const std::vector<std::string>& held, const std::string& alias,
                                        const std::string& column)
{
    for (const std::string& each : held) {
        for (const std::string& from : {alias, quoted(alias)}) {
            for (const std::string& name : {column, quoted(column)}) {
                const std::string begin = "(" + from + "." + name + " = $";
                const std::string digits = each.starts_with(begin) ? each.substr(begin.size()) : std::string();
                if (digits.size() > 1 && digits.size() < 5 && digits.ends_with(')') &&
                    std::all_of(digits.begin(), digits.end() - 1, [](char c) { return c >= '0' && c <= '9'; })) {
                    return std::stoul(digits);
                }
            }
        }
    }
    return std::nullopt;
}

} // namespace

std::string replace_parameters(std::string_view sql, const std::vector<std::string>& by)
{
    std::string out;
    for (std::size_t at = 0; at < sql.size();) {
        if (const std::size_t next = skip_quoted(sql, at); next != at) {
            out += sql.substr(at, next - at);
            at = next;
            continue;
        }
        std::size_t end = at + 1;
        while (sql[at] == '$' && end < sql.size() && std::isdigit(static_cast<unsigned char>(sql[end]))) {
            ++end;
        }
        const std::size_t number = end > at + 1 && end < at + 6 ? std::stoul(std::string(sql.substr(at + 1, end - at - 1))) : 0;
        if (number > 0 && number <= by.size()) {
            out += by[number - 1];
        } else {
            out += sql.substr(at, end - at);
        }
        at = end;
    }
    return out;
}

// What is true of the rows that one plan takes into account is true of the query: another plan reaches the same by other
// means. An InitPlan's result is printed as a parameter too, and could be mistaken for one.
std::optional<policy::set_dependency> find_key(const core::value& explained, const std::string& schema,
                                               const std::string& relation, const policy::table& over)
{
    const core::list* plans = explained.as_list();
    const core::value* top = plans && plans->size() == 1 ? plans->front().find("Plan") : nullptr;
    if (!top) {
        return std::nullopt;
    }
    bool has_results = false;
    std::vector<std::pair<std::string, std::vector<std::string>>> scans; // alias, what holds
    each_node(*top, [&](const core::value& node) {
        has_results = has_results || text_of(node, "Parent Relationship") == "InitPlan";
        if (text_of(node, "Relation Name") != relation || text_of(node, "Schema") != schema) {
            return;
        }
        auto& [alias, held] = scans.emplace_back(text_of(node, "Alias"), std::vector<std::string>());
        for (const char* kind : {"Index Cond", "Recheck Cond", "Filter"}) {
            for (std::string& each : conjuncts(text_of(node, kind))) {
                held.push_back(std::move(each));
            }
        }
    });
    if (has_results || scans.empty()) {
        return std::nullopt;
    }
    for (const policy::column& column : over.columns) {
        std::optional<std::size_t> number = parameter_of(scans.front().second, scans.front().first, column.name);
        for (const auto& [alias, held] : scans) {
            number = parameter_of(held, alias, column.name) == number ? number : std::nullopt;
        }
        if (number && *number > 0 && column.family != policy::type_family::other) {
            return policy::set_dependency{over.name, column.name, *number - 1, column.family};
        }
    }
    return std::nullopt;
}

set_reader::set_reader(connection_options options, const observe::sink& sink, const event* stop)
    : options_(std::move(options))
    , sink_(sink)
    , stop_(stop)
{
}

connection& set_reader::connected()
{
    if (!connection_) {
        connection_.emplace(options_, stop_);
        // The queries are their author's, who writes names as they would in psql.
        connection_->run_script("reset search_path; set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; "
                                "set plan_cache_mode = force_generic_plan");
    }
    return *connection_;
}

set_statement set_reader::prepare(const policy::set_definition& of, const policy::catalog& watched)
{
    const auto plan = std::make_shared<policy::set_plan>();
    set_statement made{"", plan, ""};
    std::string query = of.query;
    while (!query.empty() && (std::isspace(static_cast<unsigned char>(query.back())) || query.back() == ';')) {
        query.pop_back();
    }
    for (const std::string& table : of.watch) {
        if (!watched.find(table)) {
            made.problem = table + " is not watched; `rowcast watch " + table + "`, or nobody notices that the set changes";
            return made;
        }
    }
    connection& on = connected();
    try {
        on.run_script("deallocate all");
        on.execute("prepare rowcast_set as " + query);
        const auto types =
            on.execute("select parameter_types::text[] from pg_prepared_statements where name = 'rowcast_set'").list(0, 0);
        if (types.size() != of.parameters.size()) {
            made.problem = "the query has " + core::counted(types.size(), "parameter") + ", and params lists " + std::to_string(of.parameters.size());
            return made;
        }
        std::string nulls;
        std::string arrays;
        std::string names;
        std::vector<std::string> replacements;
        for (std::size_t i = 0; i < std::max<std::size_t>(types.size(), 1); ++i) {
            const std::string number = std::to_string(i + 1);
            arrays += (i == 0 ? "$" : ", $") + number + "::text[]";
            names += "a" + number + ", ";
            if (i < types.size()) {
                nulls += i == 0 ? "(null" : ", null";
                replacements.push_back("(rowcast_p.a" + number + "::" + types[i] + ")");
            }
        }
        nulls += nulls.empty() ? "" : ")";
        const rows answer = on.execute("explain (format json, verbose) execute rowcast_set" + nulls);
        const auto explained = protocol::parse_json(answer.text(0, 0), {16 * 1024 * 1024, 500});
        const core::list* plans = explained ? explained->as_list() : nullptr;
        const core::value* top = plans && !plans->empty() ? plans->front().find("Plan") : nullptr;
        const core::value* output = top ? top->find("Output") : nullptr;
        if (output && output->as_list() && output->as_list()->size() != 1) {
            made.problem = "the query gives " + std::to_string(output->as_list()->size()) + " columns; one is wanted";
            return made;
        }
        for (const std::string& table : of.watch) {
            const rows name = on.execute("select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                                         "where c.oid = to_regclass($1)",
                                         {table});
            auto key = explained && !name.empty()
                           ? find_key(*explained, std::string(name.text(0, 0)), std::string(name.text(0, 1)), *watched.find(table))
                           : std::nullopt;
            plan->push_back(key.value_or(policy::set_dependency{table, "", 0, policy::type_family::other}));
        }
        made.sql = "select null::bigint, pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text, "
                   "pg_current_wal_flush_lsn()::text\nunion all\n"
                   "(select rowcast_p.n, rowcast_s.value, null, null\n from unnest(" + arrays +
                   ") with ordinality as rowcast_p(" + names + "n)\n cross join lateral (select rowcast_q.value::text from (\n" +
                   replace_parameters(query, replacements) + "\n) as rowcast_q(value) limit " +
                   std::to_string(most_values + 1) + ") as rowcast_s)";
        on.execute("prepare rowcast_sets as " + made.sql); // what can stand alone cannot always stand in there
    } catch (const connection_lost&) {
        connection_.reset();
        throw;
    } catch (const database_error& error) {
        made.sql.clear();
        made.problem = error.what();
    }
    return made;
}

std::vector<set_content> set_reader::read(const set_statement& how, const arguments& all, const core::snapshot& at_least)
{
    const auto read_all = [&] {
        std::vector<set_content> found(all.size());
        for (std::size_t first = 0; first < all.size(); first += most_at_once) {
            read(how, all, first, std::min(most_at_once, all.size() - first), at_least, found);
        }
        return found;
    };
    const bool was_idle = connection_.has_value(); // and may have been lost
    try {
        return read_all();
    } catch (const connection_lost&) {
        if (!was_idle) {
            throw;
        }
        return read_all();
    }
}

// One call that cannot be answered (a claim that is no number) fails the whole statement: it is looked for by halves.
void set_reader::read(const set_statement& how, const arguments& all, std::size_t first, std::size_t count,
                      const core::snapshot& at_least, std::vector<set_content>& into)
{
    try {
        auto part = read_once(how, all, first, count, at_least);
        std::move(part.begin(), part.end(), into.begin() + static_cast<std::ptrdiff_t>(first));
    } catch (const connection_lost&) {
        connection_.reset();
        throw;
    } catch (const database_error& error) {
        if (count > 1) {
            read(how, all, first, count / 2, at_least, into);
            read(how, all, first + count / 2, count - count / 2, at_least, into);
            return;
        }
        into[first].problem = error.what();
        if (error.sqlstate().starts_with("22")) { // a data exception
            into[first].misfit = error.sqlstate();
        }
    }
}

std::vector<set_content> set_reader::read_once(const set_statement& how, const arguments& all, std::size_t first,
                                               std::size_t count, const core::snapshot& at_least)
{
    std::vector<parameter> parameters;
    for (std::size_t i = 0; i < std::max<std::size_t>(all[first].size(), 1); ++i) {
        std::vector<std::string> column;
        for (std::size_t call = first; call < first + count; ++call) {
            column.push_back(i < all[call].size() ? all[call][i] : std::string());
        }
        parameters.emplace_back(to_array(column));
    }
    std::vector<set_content> found(count);
    connection& on = connected();
    on.begin(how.sql, parameters);
    const auto moment = on.next_row();
    const auto now = moment ? core::snapshot::parse(moment->text(0, 1)) : core::failure{core::error_code::internal, ""};
    if (!moment || !moment->is_null(0, 0) || !now) {
        throw database_error("the set's first row is not the moment of reading", "", "");
    }
    while (const auto row = on.next_row()) {
        set_content& of = found.at(row->number(0, 0) - 1);
        if (row->is_null(0, 1)) {
            of.has_null = true;
        } else {
            of.texts.emplace_back(row->text(0, 1));
        }
    }
    if (!now->includes(at_least)) {
        throw connection_lost("the server at " + on.place() + " is behind the change log", "", "");
    }
    await_flush(on, parse_lsn(moment->text(0, 2)), parse_lsn(moment->text(0, 3)), sink_);
    for (set_content& each : found) {
        if (each.texts.size() > most_values) {
            each = {};
            each.problem = "it has more than " + std::to_string(most_values) + " values";
        }
    }
    return found;
}

} // namespace rowcast::postgres
