#include "policy/document.hpp"

#include "core/json_scanner.hpp"
#include "core/row.hpp"
#include "policy/scalar_number.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

struct no_jsonb {};

// Of text that is known to be JSON, in one pass. It is no deeper than the scanner lets through.
class reader {
public:
    explicit reader(std::string_view json)
        : rest_(json)
    {
    }

    document value()
    {
        skip_space();
        switch (rest_.front()) {
        case '{':
            return {object()};
        case '[':
            return {list()};
        case '"': {
            std::string quoted;
            core::append_quoted(quoted, string());
            return {std::move(quoted)};
        }
        case 't':
        case 'f':
        case 'n':
            return {std::string(take(rest_.front() == 'f' ? 5 : 4))};
        default:
            return {number()};
        }
    }

private:
    void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size())); }

    std::string_view take(std::size_t count)
    {
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    // Whether this was the last part; takes the comma or bracket behind it.
    bool ends(char bracket)
    {
        skip_space();
        return take(1).front() == bracket;
    }

    bool is_empty(char bracket)
    {
        take(1);
        skip_space();
        const bool empty = rest_.front() == bracket;
        take(empty ? 1 : 0);
        return empty;
    }

    document::list list()
    {
        document::list read;
        if (!is_empty(']')) {
            do {
                read.push_back(value());
            } while (!ends(']'));
        }
        return read;
    }

    document::members object()
    {
        document::members read;
        if (!is_empty('}')) {
            do {
                skip_space();
                std::string name = string();
                skip_space();
                take(1);
                read.emplace_back(std::move(name), value());
            } while (!ends('}'));
        }
        // The last of a name comes first, and is the one that stays.
        std::reverse(read.begin(), read.end());
        std::stable_sort(read.begin(), read.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
        read.erase(std::unique(read.begin(), read.end(), same), read.end());
        return read;
    }

    std::string string()
    {
        std::size_t end = 1;
        while (rest_[end] != '"') {
            end += rest_[end] == '\\' ? 2 : 1;
        }
        auto text = core::decode_string(take(end + 1));
        if (!text || text->find('\0') != std::string::npos) {
            throw no_jsonb{};
        }
        return std::move(*text);
    }

    std::string number()
    {
        const auto canonical = read_numeric(take(std::min(rest_.find_first_not_of("+-.eE0123456789"), rest_.size())));
        if (!canonical) {
            throw no_jsonb{};
        }
        return numeric_literal(*canonical);
    }

    std::string_view rest_;
};

void append(std::string& out, const document& of)
{
    if (const auto* scalar = std::get_if<std::string>(&of.data)) {
        out += *scalar;
    } else if (const auto* list = std::get_if<document::list>(&of.data)) {
        const char* before = "[";
        for (const document& each : *list) {
            out += std::exchange(before, ",");
            append(out, each);
        }
        out += list->empty() ? "[]" : "]";
    } else {
        const char* before = "{";
        for (const auto& [name, each] : std::get<document::members>(of.data)) {
            out += std::exchange(before, ",");
            core::append_quoted(out, name);
            out += ':';
            append(out, each);
        }
        out += *before == '{' ? "{}" : "}";
    }
}

bool contains_part(const document& left, const document& right);

bool contains_members(const document::members& left, const document::members& right)
{
    return std::all_of(right.begin(), right.end(), [&](const auto& wanted) {
        const auto found = std::lower_bound(left.begin(), left.end(), wanted.first,
                                            [](const auto& each, const std::string& name) { return each.first < name; });
        return found != left.end() && found->first == wanted.first && contains_part(found->second, wanted.second);
    });
}

bool contains_items(const document::list& left, const document::list& right)
{
    return std::all_of(right.begin(), right.end(), [&](const document& wanted) {
        return std::any_of(left.begin(), left.end(),
                           [&](const document& each) { return contains_part(each, wanted); });
    });
}

bool contains_part(const document& left, const document& right)
{
    if (left.data.index() != right.data.index()) {
        return false;
    }
    if (const auto* list = std::get_if<document::list>(&left.data)) {
        return contains_items(*list, std::get<document::list>(right.data));
    }
    if (const auto* members = std::get_if<document::members>(&left.data)) {
        return contains_members(*members, std::get<document::members>(right.data));
    }
    return left == right;
}

} // namespace

bool document::operator==(const document& other) const
{
    return data == other.data;
}

std::optional<document> read_document(std::string_view json)
{
    core::json_scanner scan(json);
    std::string_view value;
    if (!scan.value(value) || !scan.at_end()) {
        return std::nullopt;
    }
    try {
        return reader(value).value();
    } catch (const no_jsonb&) {
        return std::nullopt;
    }
}

std::string to_json(const document& of)
{
    std::string out;
    append(out, of);
    return out;
}

// A list contains a scalar that is one of its items, though only at the top (PostgreSQL manual, "jsonb Containment and
// Existence").
bool contains(const document& left, const document& right)
{
    if (std::holds_alternative<document::list>(left.data) && std::holds_alternative<std::string>(right.data)) {
        return contains_items(std::get<document::list>(left.data), {right});
    }
    return contains_part(left, right);
}

std::size_t count_parts(const document& of)
{
    std::size_t count = 1;
    if (const auto* list = std::get_if<document::list>(&of.data)) {
        for (const document& each : *list) {
            count += count_parts(each);
        }
    } else if (const auto* members = std::get_if<document::members>(&of.data)) {
        for (const auto& [name, each] : *members) {
            count += count_parts(each);
        }
    }
    return count;
}

} // namespace rowcast::policy
