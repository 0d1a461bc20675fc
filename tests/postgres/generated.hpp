#pragma once

#include "core/row.hpp"
#include "core/value.hpp"
#include "policy/given.hpp"
#include "policy/set.hpp"

#include <memory>
#include <random>
#include <string>
#include <vector>

// Tables, values and predicates made up at random, each predicate in rowcast's language and in SQL.
namespace rowcast::tests {

class dice {
public:
    explicit dice(unsigned seed)
        : engine_(seed)
    {
    }

    std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }

    bool chance(unsigned percent) { return below(100) < percent; }

    template <class Items>
    const auto& one_of(const Items& items)
    {
        return items[below(items.size())];
    }

private:
    std::mt19937 engine_;
};

inline std::string sql_text(std::string_view text)
{
    std::string quoted = "'";
    for (const char c : text) {
        quoted += c == '\'' ? "''" : std::string(1, c);
    }
    return quoted + "'";
}

inline std::string sql_name(std::string_view name)
{
    std::string quoted = "\"";
    for (const char c : name) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

/// A type with values that are easily taken for one another, in spellings that PostgreSQL reads.
struct generated_type {
    std::string name;
    std::vector<std::string> values;
    bool comparable = true;
    bool ordered = false;
    bool reads_everything = false; // any text is a value
    std::vector<std::string> patterns = {}; // for LIKE
    bool folded = false;                    // and ILIKE
    std::vector<std::string> parts = {};    // for @>
    bool json = false;                      // claims are values of their own, not texts to be read
};

inline generated_type array(std::string name, std::vector<std::string> values, std::vector<std::string> parts)
{
    return {std::move(name), std::move(values), false, false, false, {}, false, std::move(parts)};
}

inline const std::vector<generated_type>& generated_types()
{
    static const std::string nasty = "a'b\"c\\d\n\t\x01$5";
    static const std::vector<std::string> patterns = {"%",  "",    "a%",   "%a",      "_",  "__%",    "\\_",  "a\\%",
                                                      "A_", "%\n%", "\u00e9", "%\u00c9%", "$%", "\\\\%", "%x%_%"};
    static const std::vector<generated_type> all = {
        {"boolean", {"true", "false", "t", "no", " on "}, true, true},
        {"smallint", {"-32768", "-1", "0", "1", "+1", "7", "32767"}, true, true},
        {"integer", {"-2147483648", "-10", "-9", "0", "1", "01", " 42 ", "42", "2147483647"}, true, true},
        {"small", {"0", "1", "2"}, true, true},
        {"bigint",
         {"9007199254740992", "9007199254740993", "-9223372036854775808", "9223372036854775807", "99", "100"},
         true,
         true},
        {"numeric",
         {"0", "0.00", "-0.0", "1.5", "1.50", "15e-1", "-1.5", "-1.05", "-2", "-100", "10", "9.99", "1e30", "1e-30",
          "123456789012345678901234567890.1", "123456789012345678901234567890.2", "NaN"},
         true,
         true},
        {"numeric(10,2)", {"1.5", "1.50", "1.51", "-3", "99999999.99"}, true, true},
        {"real",
         {"0.1", "0.100000001490116", "0.2", "16777216", "16777217", "-0", "0", "NaN", "Infinity", "-inf", "1e-45",
          "3.4028235e38", "8388608.5", "33554432"},
         true,
         true},
        {"weight", {"0.1", "0.100000001490116", "1e10", "NaN"}, true, true},
        {"double precision",
         {"0.1", "0.100000001490116", "0.3", "0.30000000000000004", "1e300", "-0", "0", "nan", "-Infinity", "5e-324",
          "9007199254740993", "9007199254740992", "1e23"},
         true,
         true},
        {"text",
         {"", " ", "a", "a ", "A", "\u00e9", "e\u0301", nasty, "null", "true", "\U0001F600", "$5", "$$", "{\"a\":1}"},
         true,
         false,
         true,
         patterns},
        {"text collate \"C\"",
         {"a", "b", "B", "", "ab", "Ab", "a b", "\u00e9", "\u00c9t\u00c9", "\uff5e", "\U0001F600", "a\\"},
         true,
         true,
         true,
         patterns,
         true},
        {"varchar(20)", {"", "x", "x ", "42", "a_", "a%b"}, true, false, true, patterns},
        {"char(5) collate \"C\"", {"", "ab", "ab ", " ab", "ab  c", "\u00e9", "a\n"}, true, true, true, patterns, true},
        {"char(5)", {"", "ab", "ab ", " ab", "ab  c", "\u00e9"}, true, false, true, patterns},
        {"uuid",
         {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
          "{a0eebc999c0b4ef8bb6d6bb9bd380a12}", "00000000-0000-0000-0000-000000000000"},
         true,
         true},
        {"date",
         {"2026-11-21", "2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "0001-01-01", "10000-01-01",
          "4714-11-24 BC", "5874897-12-31"},
         true,
         true},
        {"timestamp",
         {"2026-11-21T10:00:00", "2026-11-21 10:00:00.000001", "2026-11-21", "2026-11-21T10:00+05", "infinity",
          "-infinity", "0044-03-15 12:00:00 BC", "294276-12-31 23:59:59.999999"},
         true,
         true},
        {"timestamptz",
         {"2026-11-21T10:00:00Z", "2026-11-21 12:00:00+02", "2026-11-21T10:00:00.1", "2026-11-21T04:30:00-05:30",
          "2026-11-21", "infinity", "0001-12-31 23:00:00-01 BC"},
         true,
         true},
        {"time", {"10:00:00", "10:00", "00:00:00", "24:00:00", "23:59:59.999999", "10:00:00.5"}, true, true},
        {"mood", {"sad", "so-so", "very \"happy\"", ""}, true, true},
        {"bytea", {"\\xdead", "\\x", "\\xDE AD", "\\xde", "\\xff", "a", "\\\\", "\\000a"}, true, true, true},
        {"jsonb",
         {"{\"a\": null}", "[1.50]", "[1.5, \"x\"]", "1", "1.0", "\"1\"", "true", "{}", "[]", "{\"a\": 1, \"a\": 2}",
          "{\"b\": [1, {\"c\": 1e0}], \"a\": 2}", "[[1], {\"a\": 1, \"b\": \"\\u00e9\"}]", "\"\u00e9\""},
         true,
         false,
         false,
         {},
         false,
         {"{}", "[]", "1", "[1]", "[1, 1.5]", "\"x\"", "{\"a\": null}", "{\"a\": 2.0}", "{\"b\": [1]}",
          "{\"b\": [{\"c\": 1}]}", "[[]]", "[[1.0]]", "[{\"a\": 1}]", "[{\"b\": \"\u00e9\"}]", "null"},
         true},
        {"json", {"{\"a\": null}", "1"}, false, false},
        array("int[]", {"{}", "{1,null}", "{1,2,3}", "{{1,2},{3,NULL}}", "[0:1]={2,2}"}, {"{}", "{1}", "{2, 1}", "{NULL}", "{1,3}"}),
        array("small[]", {"{}", "{1,2}"}, {"{1}", "{}", "{2,1}"}),
        array("numbers", {"{1.5,2}", "{}"}, {"{1.50}", "{2,2.0}"}),
        array("numeric[]", {"{1.50,NaN}", "{0}"}, {"{1.5}", "{NaN}", "{-0}"}),
        array("double precision[]", {"{0.1,NaN,-0}", "{Infinity}"}, {"{0.1}", "{nan}", "{0}", "{inf}"}),
        array("boolean[]", {"{t,f}", "{NULL}"}, {"{true}", "{no}"}),
        array("text[]", {"{a,\"\",NULL}", "{\"a,b\",\"\\\"\",\"null\"}", "{\u00e9,A,\"a\nb\"}"},
              {"{a}", "{\"\"}", "{\"a,b\"}", "{\"null\"}", "{null}", "{\"\\\"\"}", "{\u00e9, A}", "{\"a\nb\"}"}),
        array("varchar(5)[]", {"{a,b}", "{}"}, {"{a}", "{b,a}"}),
        array("char(3)[]", {"{a,\"b  \"}", "{}"}, {"{\"a \"}", "{b,a}"}),
        array("uuid[]", {"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"}, {"{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"}),
        array("timestamptz[]", {"{\"2026-11-21 10:00+00\",infinity}"}, {"{2026-11-21T12:00:00+02}", "{infinity}"}),
        array("date[]", {"{2026-11-21,\"0044-03-15 BC\"}"}, {"{2026-11-21}", "{0044-03-15 BC}"}),
        array("mood[]", {"{sad,\"very \\\"happy\\\"\"}", "{\"\"}"}, {"{sad}", "{\"\"}"}),
        array("bytea[]", {"{\"\\\\xdead\",\"\\\\x\"}"}, {"{\"\\\\xDEAD\"}"}),
    };
    return all;
}

inline const char* const generated_types_sql =
    "create domain small as int check (value < 100); create domain weight as real; "
    "create domain numbers as numeric(10,2)[]; "
    "create type mood as enum ('sad', 'very \"happy\"', ''); alter type mood add value 'so-so' before 'very \"happy\"'";

struct generated_column {
    std::string name;
    const generated_type* type;
    bool key = false;
};

struct generated_predicate {
    core::value tree;
    std::string sql;
    std::vector<std::string> columns;
};

/// Makes predicates over the columns of the table that SQL calls `v`.
class predicate_maker {
public:
    using sets = decltype(policy::identity::sets);

    /// With claims, some values are taken from them, and with sets, some lists: they get what the predicates refer to.
    predicate_maker(dice& random, const std::vector<generated_column>& columns, core::object* claims,
                    sets* made_sets = nullptr)
        : random_(random)
        , columns_(columns)
        , claims_(claims)
        , sets_(made_sets)
    {
    }

    generated_predicate make(unsigned depth = 3)
    {
        if (depth == 0 || random_.chance(45)) {
            return condition();
        }
        switch (random_.below(4)) {
        case 0: {
            generated_predicate inner = make(depth - 1);
            return {object("not", std::move(inner.tree)), "not (" + inner.sql + ")", std::move(inner.columns)};
        }
        case 1:
            return list("or", depth);
        case 2:
            return list("and", depth);
        default:
            return members(depth);
        }
    }

private:
    static core::value object(std::string name, core::value item)
    {
        core::object only;
        only.emplace_back(std::move(name), std::move(item));
        return {std::move(only)};
    }

    static void join(generated_predicate& sum, const generated_predicate& part, std::string_view connective)
    {
        sum.sql += (sum.sql.empty() ? "" : " " + std::string(connective) + " ") + "(" + part.sql + ")";
        sum.columns.insert(sum.columns.end(), part.columns.begin(), part.columns.end());
    }

    generated_predicate list(const std::string& connective, unsigned depth)
    {
        generated_predicate sum;
        core::list parts;
        for (std::size_t i = random_.below(3) + 1; i > 0; --i) {
            generated_predicate part = make(depth - 1);
            join(sum, part, connective);
            parts.push_back(std::move(part.tree));
        }
        sum.tree = object(connective, {std::move(parts)});
        return sum;
    }

    /// Several members of one object.
    generated_predicate members(unsigned depth)
    {
        generated_predicate sum;
        core::object all;
        for (int i = 0; i < 2; ++i) {
            generated_predicate part = make(depth - 1);
            join(sum, part, "and");
            const core::object& more = *part.tree.as_object();
            all.insert(all.end(), more.begin(), more.end());
        }
        sum.tree = {std::move(all)};
        return sum;
    }

    struct spelled {
        core::value tree;
        std::string sql;
    };

    /// A value of the type, as a text or, where it looks like one, as a number.
    spelled literal(const generated_type& type, bool of_a_claim)
    {
        const std::string& text = random_.one_of(type.values);
        std::string in_tree = text;
        if (!of_a_claim && claims_ && text.starts_with('$')) {
            in_tree = "$" + text; // a rule's plain dollar
        }
        const bool numeric =
            type.ordered && !text.empty() && text.find_first_not_of("-0123456789.") == std::string::npos &&
            text.find('-', 1) == std::string::npos && (text.front() != '0' || text.size() == 1 || text[1] == '.');
        core::value tree = numeric && random_.chance(50) ? core::value{core::number{text}} : core::value{in_tree};
        return {std::move(tree), sql_text(text)};
    }

    /// A claim with a value of the type, or with none: then SQL sees null.
    spelled claim_value(const generated_type& type)
    {
        switch (random_.below(6)) {
        case 0:
            return {{nullptr}, "null"};
        case 1:
            if (type.ordered && !type.reads_everything) {
                return {{std::string("no value of the type")}, "null"};
            }
            [[fallthrough]];
        default:
            return literal(type, true);
        }
    }

    core::value claim(core::value value)
    {
        const std::string name = "c" + std::to_string(claims_->size());
        claims_->emplace_back(name, std::move(value));
        return {"$claims." + name};
    }

    /// A claim is compared with jsonb as the JSON that it is in the token.
    spelled json_claim(const std::string& json)
    {
        return {claim(tree(json)), json == "null" ? json : sql_text(json)};
    }

    spelled one_value(const generated_type& type)
    {
        if (!claims_ || random_.chance(70)) {
            return literal(type, false);
        }
        if (random_.chance(15)) {
            return {{std::string("$claims.missing")}, "null"};
        }
        if (type.json) {
            return json_claim(random_.one_of(type.values));
        }
        spelled value = claim_value(type);
        return {claim(std::move(value.tree)), std::move(value.sql)};
    }

    /// The tree of a list, and the SQL of its values; empty where it has none.
    spelled several_values(const generated_type& type)
    {
        const bool from_claims = claims_ && !type.json && random_.chance(40);
        core::list items;
        std::string sql;
        for (std::size_t i = random_.below(5); i > 0; --i) {
            spelled item = from_claims ? claim_value(type) : literal(type, false);
            if (random_.chance(8)) {
                item = {{nullptr}, "null"};
            }
            items.push_back(std::move(item.tree));
            sql += (sql.empty() ? "" : ", ") + item.sql;
        }
        core::value tree{std::move(items)};
        return {from_claims ? claim(std::move(tree)) : std::move(tree), std::move(sql)};
    }

    /// A set with values of the type in any spelling, and others: few, or as many as a set may have.
    spelled a_set(const generated_type& type)
    {
        static std::uint64_t version = 0;
        static const auto plan = std::make_shared<const policy::set_plan>();
        std::vector<std::string> texts;
        std::string sql;
        const auto add = [&](const std::string& text) {
            texts.push_back(text);
            sql += (sql.empty() ? "" : ", ") + sql_text(text);
        };
        for (std::size_t i = random_.below(5); i > 0; --i) {
            add(random_.one_of(type.values));
        }
        const bool is_wide = type.name == "bigint" || type.name == "numeric" || type.name == "text";
        if (is_wide && random_.chance(5)) {
            for (int i = 1000; i < 11'000; ++i) {
                add(std::to_string(i));
            }
        }
        bool null = random_.chance(15);
        const bool misfit = type.ordered && !type.reads_everything && random_.chance(15);
        if (null || misfit) {
            sql += sql.empty() ? "null" : ", null";
        }
        if (misfit) {
            texts.emplace_back("no value of the type");
        }
        auto definition = std::make_shared<policy::set_definition>();
        definition->name = "s" + std::to_string(sets_->size());
        const policy::set_call call{definition, {}};
        sets_->emplace(definition->name, std::make_shared<const policy::set_value>(call, ++version, plan, texts, null));
        return {{"$sets." + definition->name}, std::move(sql)};
    }

    generated_predicate condition()
    {
        const generated_column& column = random_.one_of(columns_);
        const std::string left = "v." + sql_name(column.name);
        const auto made = [&](core::value item, std::string sql) {
            return generated_predicate{object(column.name, std::move(item)), std::move(sql), {column.name}};
        };
        if (!column.type->parts.empty() && random_.chance(60)) {
            const std::string& part = random_.one_of(column.type->parts);
            if (claims_ && column.type->json && random_.chance(40)) {
                spelled right = json_claim(part);
                return made(object("contains", std::move(right.tree)), left + " @> " + right.sql);
            }
            return made(object("contains", {part}), left + " @> " + sql_text(part));
        }
        if (!column.type->patterns.empty() && random_.chance(35)) {
            const bool folded = column.type->folded && random_.chance(50);
            const std::string& pattern = random_.one_of(column.type->patterns);
            const std::string in_tree = claims_ && pattern.starts_with('$') ? "$" + pattern : pattern;
            return made(object(folded ? "ilike" : "like", claims_ && random_.chance(30) ? claim({pattern}) : core::value{in_tree}),
                        left + (folded ? " ilike " : " like ") + sql_text(pattern));
        }
        if (!column.type->comparable || random_.chance(12)) {
            switch (random_.below(column.type->name == "boolean" ? 6 : 3)) {
            case 0:
                return made({nullptr}, left + " is null");
            case 1:
                return made(object("is", {nullptr}), left + " is null");
            case 2:
                return made(object("is", {std::string("not null")}), left + " is not null");
            case 3:
                return made(object("is", {true}), left + " is true");
            case 4:
                return made(object("is", {false}), left + " is false");
            default:
                return made(object("is", {std::string("unknown")}), left + " is unknown");
            }
        }
        if (random_.chance(30)) {
            const bool in = random_.chance(60);
            spelled values = sets_ && random_.chance(40) ? a_set(*column.type) : several_values(*column.type);
            const std::string sql =
                values.sql.empty() ? (in ? "false" : "true") : left + (in ? " in (" : " not in (") + values.sql + ")";
            return made(object(in ? "in" : "nin", std::move(values.tree)), sql);
        }
        spelled right = one_value(*column.type);
        if (random_.chance(30)) {
            return made(std::move(right.tree), left + " = " + right.sql);
        }
        const std::vector<std::pair<const char*, const char*>> operators = {
            {"eq", "="}, {"neq", "<>"}, {"gt", ">"}, {"gte", ">="}, {"lt", "<"}, {"lte", "<="}};
        const auto& [word, sign] = operators[random_.below(column.type->ordered ? operators.size() : 2)];
        return made(object(word, std::move(right.tree)), left + " " + sign + " " + right.sql);
    }

    dice& random_;
    const std::vector<generated_column>& columns_;
    core::object* claims_;
    sets* sets_;
};

} // namespace rowcast::tests
