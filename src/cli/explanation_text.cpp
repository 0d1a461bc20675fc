#include "cli/explanation_text.hpp"

#include "protocol/event_text.hpp"

namespace rowcast::cli {

namespace {

using policy::explained_predicate;
using policy::truth;
using verdict = policy::explanation::verdict;

constexpr std::size_t widest_value = 72;
constexpr std::size_t widest_row = 400;

std::string shown(std::string_view text, std::size_t widest = widest_value)
{
    return shortened(printable(text), widest);
}

std::string listed(const std::vector<std::string>& names)
{
    std::string all;
    for (const std::string& each : names) {
        all += (all.empty() ? "" : ", ") + shown(each);
    }
    return all;
}

class narrator {
public:
    narrator(const painter& paint, std::string_view margin)
        : paint_(paint)
        , margin_(margin)
    {
    }

    std::string take() { return std::move(out_); }

    void line(std::size_t depth, const std::string& text)
    {
        out_ += text.empty() ? "\n" : std::string(margin_) + std::string(depth * 4, ' ') + text + "\n";
    }

    void row(std::string_view which, const core::row& of, const policy::explained_row& explained, bool filtered)
    {
        line(0, paint_(style::bold, which) + shown(of.json(), widest_row));
        if (explained.rules.empty()) {
            line(0, mark(truth::no) + "there is no rule for it, so nobody sees it");
        }
        for (const policy::explained_rule& each : explained.rules) {
            rule(each);
        }
        if (filtered) {
            line(0, mark(explained.filter.holds) + "the client's own filter");
            predicate(1, explained.filter);
        }
        line(0, "");
    }

private:
    std::string mark(policy::outcomes holds) const
    {
        if (holds.is(truth::yes)) {
            return paint_(style::green, "✓") + " ";
        }
        return (holds.is(truth::no) ? paint_(style::red, "✗") : paint_(style::yellow, "?")) + " ";
    }

    void rule(const policy::explained_rule& of)
    {
        std::string title = "rule " + std::to_string(of.number);
        title += of.at.line > 0 ? ", line " + std::to_string(of.at.line) : "";
        title += of.roles.empty() ? ", for everybody" : ", for " + listed(of.roles);
        if (!of.for_user) {
            line(0, paint_(style::dim, "– " + title + ": this user has none of these roles"));
            return;
        }
        if (!of.where) {
            line(0, mark(truth::no) + title + ": " + printable(of.misfit));
            return;
        }
        const bool holds = of.where->holds.is(truth::yes);
        if (holds) {
            title += of.columns ? "; gives " + listed(*of.columns) : "; gives every captured column";
        }
        line(0, mark(of.where->holds) + title);
        predicate(1, *of.where);
    }

    // The conditions of an `and` need no word for it: they stand in lines of their own.
    void predicate(std::size_t depth, const explained_predicate& of)
    {
        if (const auto* condition = std::get_if<explained_predicate::condition>(&of.what)) {
            line(depth, mark(of.holds) + shown(condition->text) + paint_(style::dim, "  (" + evidence(*condition) + ")"));
            return;
        }
        const auto& group = std::get<explained_predicate::group>(of.what);
        const bool all = group.of == policy::predicate::group::kind::all;
        if (all && group.parts.empty()) {
            line(depth, mark(of.holds) + "every row");
            return;
        }
        if (!all) {
            line(depth, mark(of.holds) + (group.of == policy::predicate::group::kind::any ? "one of:" : "not:"));
        }
        for (const explained_predicate& part : group.parts) {
            predicate(depth + (all ? 0 : 1), part);
        }
    }

    static std::string evidence(const explained_predicate::condition& of)
    {
        std::string text = of.value ? "the row has " + shown(*of.value) : "";
        if (of.compared) {
            text += (text.empty() ? "" : ", ") + shown(of.reference) + " is " + shown(core::to_json(*of.compared));
        }
        return text + (of.remark.empty() ? "" : (text.empty() ? "" : "; ") + printable(of.remark));
    }

    const painter& paint_;
    std::string_view margin_;
    std::string out_;
};

std::string conclusion(const policy::explanation& of, const painter& paint)
{
    const std::string reason = printable(of.reason) + ".";
    switch (of.what) {
    case verdict::sent:
        return paint(style::green, of.event ? "Sent as " + std::string(core::to_string(of.event->op)) : "Sent") + ": " + reason;
    case verdict::resync:
        return paint(style::yellow, "Not decided") + ": " + reason;
    case verdict::refused:
        return paint(style::red, "Refused") + ": " + reason;
    case verdict::nothing:
        break;
    }
    return paint(style::red, "Not sent") + ": " + reason;
}

} // namespace

std::string explanation_text(const policy::explanation& of, const painter& paint, std::string_view margin)
{
    narrator tell(paint, margin);
    const core::change& change = *of.change;
    const bool update = of.before && of.after;
    const auto is_filtered = [](const policy::explained_row& row) {
        const auto* group = std::get_if<explained_predicate::group>(&row.filter.what);
        return !group || !group->parts.empty();
    };
    if (of.before) {
        tell.row(update ? "old row " : "row ", change.before, *of.before, is_filtered(*of.before));
    }
    if (of.after) {
        tell.row(update ? "new row " : "row ", change.after, *of.after, is_filtered(*of.after));
    }
    tell.line(0, conclusion(of, paint));
    if (of.event) {
        tell.line(0, paint(style::dim, shown("{" + protocol::event_text(change, &*of.event), 10 * widest_row)));
    }
    return tell.take();
}

} // namespace rowcast::cli
