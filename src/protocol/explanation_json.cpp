#include "protocol/explanation_json.hpp"

#include "protocol/event_text.hpp"

#include <array>
#include <string_view>

namespace rowcast::protocol {
namespace {

using policy::explained_predicate;
using policy::truth;

// Members of an object and items of a list, with the commas between them.
class writer {
public:
    std::string take() { return std::move(out_); }

    void open(char bracket) { begin() += bracket, first_ = true; }

    void close(char bracket)
    {
        out_ += bracket;
        first_ = false;
    }

    void name(std::string_view name)
    {
        core::append_quoted(begin(), name);
        out_ += ':';
        first_ = true;
    }

    void raw(std::string_view json) { begin() += json; }

    void text(std::string_view text) { core::append_quoted(begin(), text); }

    void member(std::string_view of, std::string_view value)
    {
        name(of);
        text(value);
    }

    void list(std::string_view of, const std::vector<std::string>& values)
    {
        name(of);
        open('[');
        for (const std::string& each : values) {
            text(each);
        }
        close(']');
    }

private:
    std::string& begin()
    {
        out_ += std::exchange(first_, false) ? "" : ",";
        return out_;
    }

    std::string out_;
    bool first_ = true;
};

std::string_view to_text(policy::outcomes holds)
{
    if (holds.is(truth::yes)) {
        return "yes";
    }
    return holds.is(truth::no) ? "no" : holds.is(truth::unknown) ? "unknown" : "undecided";
}

void write(writer& to, const explained_predicate& what)
{
    to.open('{');
    to.member("holds", to_text(what.holds));
    if (const auto* condition = std::get_if<explained_predicate::condition>(&what.what)) {
        to.member("condition", condition->text);
        if (condition->value) {
            to.name("value");
            to.raw(*condition->value);
        }
        if (condition->compared) {
            to.name("compared");
            to.raw(core::to_json(*condition->compared));
        }
        if (!condition->remark.empty()) {
            to.member("remark", condition->remark);
        }
    } else {
        const auto& group = std::get<explained_predicate::group>(what.what);
        to.name(std::array{"and", "or", "not"}[static_cast<std::size_t>(group.of)]);
        to.open('[');
        for (const explained_predicate& part : group.parts) {
            write(to, part);
        }
        to.close(']');
    }
    to.close('}');
}

void write(writer& to, const policy::explained_rule& rule)
{
    to.open('{');
    to.name("rule");
    to.raw(std::to_string(rule.number));
    if (rule.at.line > 0) {
        to.name("line");
        to.raw(std::to_string(rule.at.line));
    }
    if (!rule.roles.empty()) {
        to.list("roles", rule.roles);
    }
    to.name("for_user");
    to.raw(rule.for_user ? "true" : "false");
    if (!rule.misfit.empty()) {
        to.member("problem", rule.misfit);
    }
    if (rule.where) {
        to.member("holds", to_text(rule.where->holds));
        to.name("where");
        write(to, *rule.where);
    }
    if (rule.columns) {
        to.list("columns", *rule.columns);
    }
    to.close('}');
}

void write(writer& to, const policy::explained_row& row)
{
    to.open('{');
    to.name("rules");
    to.open('[');
    for (const policy::explained_rule& each : row.rules) {
        write(to, each);
    }
    to.close(']');
    to.list("columns", row.columns);
    to.name("filter");
    write(to, row.filter);
    if (!row.hidden.empty()) {
        to.list("filter_columns_not_given", row.hidden);
    }
    to.close('}');
}

} // namespace

std::string to_json(const policy::explanation& of)
{
    writer to;
    to.open('{');
    to.member("table", of.over->name);
    to.member("verdict", policy::to_string(of.what));
    to.member("reason", of.reason);
    if (of.event) {
        to.name("event");
        to.raw("{" + event_text(*of.change, &*of.event));
    }
    if (of.before) {
        to.name("before");
        write(to, *of.before);
    }
    if (of.after) {
        to.name("after");
        write(to, *of.after);
    }
    to.close('}');
    return to.take();
}

} // namespace rowcast::protocol
