#include "protocol/url_filter.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/excerpt.hpp"
#include "core/nearest.hpp"

namespace rowcast::protocol {
namespace {

using core::excerpt;
using core::failure;
using core::result;
using core::value;

constexpr std::array<std::string_view, 13> operators{"eq",  "neq", "gt",   "gte",   "lt",       "lte", "in",
                                                     "nin", "is",  "like", "ilike", "contains", "cs"};
constexpr int deepest = 8;

value single(std::string name, value inner)
{
    return {core::object{{std::move(name), std::move(inner)}}};
}

// Reads from left to right; `name` is the parameter, for messages.
class reader {
public:
    reader(std::string_view name, std::string_view text) : name_(name), text_(text) {}

    // [not.]operator.operand; the operand is everything up to the end, or, inside a group, up to its , or )
    result<value> condition(std::string column, bool in_group)
    {
        const bool negated = take("not.");
        const std::size_t dot = text_.find('.', at_);
        const std::string_view op = text_.substr(at_, dot == std::string_view::npos ? dot : dot - at_);
        if (dot == std::string_view::npos || std::find(operators.begin(), operators.end(), op) == operators.end()) {
            return bad(excerpt(text_.substr(at_)) + " does not begin with an operator and a dot, like eq.open" +
                       core::did_you_mean(op, operators));
        }
        at_ = dot + 1;
        auto right = operand(op, in_group);
        if (!right) {
            return right;
        }
        const std::string_view word = op == "cs" ? "contains" : op; // as PostgREST calls it
        value out = single(std::move(column), single(std::string(word), std::move(*right)));
        return negated ? single("not", std::move(out)) : std::move(out);
    }

    // (item,item,...) of and, or
    result<value> group(std::string_view kind, int depth)
    {
        if (depth > deepest) {
            return bad("groups are nested deeper than " + std::to_string(deepest) + " levels");
        }
        if (!take("(")) {
            return bad("expected ( after " + std::string(kind));
        }
        core::list parts;
        do {
            auto part = item(depth);
            if (!part) {
                return part;
            }
            parts.push_back(std::move(*part));
        } while (take(","));
        if (!take(")")) {
            return bad("a group is not closed with )");
        }
        return single(std::string(kind), {std::move(parts)});
    }

    result<void> end()
    {
        if (at_ != text_.size()) {
            return bad("unexpected " + excerpt(text_.substr(at_)));
        }
        return {};
    }

private:
    failure bad(std::string message) const
    {
        return {core::error_code::bad_filter, excerpt(name_) + ": " + std::move(message)};
    }

    bool take(std::string_view expected)
    {
        if (!text_.substr(at_).starts_with(expected)) {
            return false;
        }
        at_ += expected.size();
        return true;
    }

    // Inside a group: a group of its own, or column.condition.
    result<value> item(int depth)
    {
        const std::size_t start = at_;
        const bool negated = take("not.");
        for (const std::string_view kind : {std::string_view("and"), std::string_view("or")}) {
            if (text_.substr(at_).starts_with(std::string(kind) + "(")) {
                at_ += kind.size();
                auto inner = group(kind, depth + 1);
                return inner && negated ? result<value>(single("not", std::move(*inner))) : inner;
            }
        }
        at_ = start;
        auto column = word(".");
        if (!column) {
            return column.error();
        }
        if (column->empty() || !take(".")) {
            return bad("expected column.operator.value at " + excerpt(text_.substr(start)));
        }
        return condition(std::move(*column), true);
    }

    result<value> operand(std::string_view op, bool in_group)
    {
        if (op == "in" || op == "nin") {
            return list();
        }
        // At the top a quote is a character like others (as PostgREST has it).
        auto text = in_group ? word(",)") : result<std::string>(std::string(text_.substr(at_)));
        if (!text) {
            return text.error();
        }
        if (!in_group) {
            at_ = text_.size();
        }
        if (op == "is") {
            return is(*text);
        }
        if (text->empty()) {
            return bad("the value after '" + std::string(op) + ".' is empty");
        }
        if (op == "like" || op == "ilike") {
            // A % would have to be written %25 in a URL; PostgREST's * spares that.
            std::replace(text->begin(), text->end(), '*', '%');
        }
        return value{std::move(*text)};
    }

    result<value> is(std::string_view text) const
    {
        if (text == "null") {
            return value{nullptr};
        }
        if (text == "true" || text == "false") {
            return value{text == "true"};
        }
        return bad("'is' takes null, true or false, not " + excerpt(text));
    }

    result<value> list()
    {
        if (!take("(")) {
            return bad("'in' takes a list in parentheses, like in.(1,2)");
        }
        core::list items;
        do {
            auto item = word(",)");
            if (!item) {
                return item.error();
            }
            if (item->empty() && !quoted_) {
                return bad("the list has an empty value; write \"\" for an empty text");
            }
            items.push_back({std::move(*item)});
        } while (take(","));
        if (!take(")")) {
            return bad("a list is not closed with )");
        }
        return value{std::move(items)};
    }

    // Up to one of `ends`, or in double quotes, where \ takes the next character as it is.
    result<std::string> word(std::string_view ends)
    {
        std::string out;
        quoted_ = take("\"");
        if (!quoted_) {
            const std::size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
            out = text_.substr(at_, end - at_);
            at_ = end;
            return out;
        }
        for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                ++at_;
            }
            out += text_[at_];
        }
        if (!take("\"")) {
            return bad("a quoted text is not closed with \"");
        }
        return out;
    }

    std::string_view name_;
    std::string_view text_;
    std::size_t at_ = 0;
    bool quoted_ = false; // the last word was
};

} // namespace

bool is_group(std::string_view name)
{
    return name == "or" || name == "and" || name == "not.or" || name == "not.and";
}

result<value> parse_url_filter(std::string_view name, std::string_view text)
{
    reader read(name, text);
    const bool negated = is_group(name) && name.starts_with("not.");
    auto filter = is_group(name) ? read.group(negated ? name.substr(4) : name, 1) : read.condition(std::string(name), false);
    if (!filter) {
        return filter;
    }
    if (auto ended = read.end(); !ended) {
        return ended.error();
    }
    return negated ? single("not", std::move(*filter)) : std::move(*filter);
}

} // namespace rowcast::protocol
