#include "policy/explanation.hpp"

#include "core/excerpt.hpp"
#include "policy/scalar.hpp"

#include <algorithm>

namespace rowcast::policy {
namespace {

using core::operation;
using condition = explained_predicate::condition;
using group = explained_predicate::group;
using verdict = explanation::verdict;

// An explanation is to be looked at, and a row may have megabytes.
constexpr std::size_t longest_text = 1000;
constexpr std::size_t most_values = 20;

bool contains(const std::vector<std::string>& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string to_text(const predicate::reference& to)
{
    return (to.from == predicate::reference::kind::claims ? "$claims." : "$sets.") + to.name();
}

std::string quoted(const std::string& name)
{
    return "'" + name + "'";
}

std::string listed(const std::vector<std::string>& names)
{
    std::string all;
    for (const std::string& each : names) {
        all += (all.empty() ? "" : ", ") + quoted(each);
    }
    return all;
}

core::value shortened(const core::value& of)
{
    if (const std::string* text = of.as_string()) {
        return {core::beginning(*text, longest_text)};
    }
    const std::string json = core::to_json(of);
    return json.size() <= longest_text ? of : core::value{core::beginning(json, longest_text)};
}

void shorten(condition& what)
{
    what.text = core::beginning(what.text, longest_text);
    if (what.value && what.value->size() > longest_text) {
        std::string text;
        core::append_quoted(text, core::beginning(*what.value, longest_text));
        what.value = std::move(text);
    }
    const core::list* several = what.compared ? what.compared->as_list() : nullptr;
    if (!several) {
        what.compared = what.compared ? std::optional(shortened(*what.compared)) : std::nullopt;
        return;
    }
    core::list few;
    for (std::size_t i = 0; i < std::min(several->size(), most_values); ++i) {
        few.push_back(shortened((*several)[i]));
    }
    if (several->size() > few.size()) {
        what.remark += (what.remark.empty() ? "" : "; ") + std::string("the first ") + std::to_string(few.size()) + " of " +
                       std::to_string(several->size()) + " values";
    }
    what.compared = core::value{std::move(few)};
}

// Of a set's query: the claim that its call lacks, and so why there is none.
std::string missing_claim(const set_definition& of, const identity& who)
{
    for (const predicate::operand& each : of.parameters) {
        const auto* to = std::get_if<predicate::reference>(&each);
        const core::value* claim = to ? find_claim(who.claims, to->name()) : nullptr;
        if (to && !claim) {
            return "the user has no claim " + quoted(to->name()) + ", which its query takes";
        }
        if (claim && (claim->is_null() || claim->as_list() || claim->as_object())) {
            return "the user's claim " + quoted(to->name()) + " is " + std::string(claim->kind()) + ", and its query takes one value";
        }
    }
    return "";
}

// What conditions refer to.
struct context {
    const rules& all;
    const identity& who;
    const unknown_sets& unknown;
};

// Holds predicates against one row, each condition by itself and as `bound_predicate` decides it. Without a context: the
// predicate of a client, which has no references.
class examiner {
public:
    examiner(const table& over, const context* with, const core::row& row, bool whole)
        : over_(over)
        , with_(with)
        , who_(with ? &with->who : nullptr)
        , row_(row)
        , whole_(whole)
    {
    }

    // Of a predicate that can be bound.
    explained_predicate examine(const predicate& source) const
    {
        if (source.always()) {
            return {};
        }
        if (const auto* only = std::get_if<predicate::condition>(&source.node())) {
            return examine(*only, source);
        }
        const auto& parts = std::get<predicate::group>(source.node());
        const bool any = parts.of == predicate::group::kind::any;
        explained_predicate sum{any ? truth::no : truth::yes, group{parts.of, {}}};
        for (const predicate& each : parts.parts) {
            explained_predicate part = examine(each);
            sum.holds = any ? (sum.holds || part.holds) : (sum.holds && part.holds);
            std::get<group>(sum.what).parts.push_back(std::move(part));
        }
        if (parts.of == predicate::group::kind::none) {
            sum.holds = !sum.holds;
        }
        return sum;
    }

private:
    explained_predicate examine(const predicate::condition& source, const predicate& alone) const
    {
        condition found{policy::to_text(source), {}, {}, {}, {}};
        if (const auto value = row_.find(source.column)) {
            found.value = std::string(*value);
        } else if (whole_) {
            found.value = "null";
        }
        if (const auto* to = std::get_if<predicate::reference>(&source.right)) {
            look_up(source, *to, found);
        }
        const auto bound = bound_predicate::bind(alone, over_, who_);
        const outcomes holds = !found.value || !bound ? outcomes::any() : outcomes(bound->evaluate(row_));
        if (!found.value) {
            found.remark = "not known: the row was too large for the log";
        } else if (holds.is(truth::unknown) && found.remark.empty()) {
            found.remark = remark_on(source, *found.value);
        }
        shorten(found);
        return {holds, std::move(found)};
    }

    void look_up(const predicate::condition& source, const predicate::reference& to, condition& into) const
    {
        into.reference = to_text(to);
        if (to.from == predicate::reference::kind::sets) {
            return look_up_set(to, into);
        }
        const std::string path = to.name();
        const core::value* claim = who_ ? find_claim(who_->claims, path) : nullptr;
        if (!claim) {
            into.remark = "the user has no claim " + quoted(path);
            return;
        }
        into.compared = *claim;
        if (claim->is_null()) {
            into.remark = "the user's claim " + quoted(path) + " is null";
            return;
        }
        const bool many = source.comparison == predicate::op::in || source.comparison == predicate::op::nin;
        predicate::condition literal = source;
        literal.right = many && !claim->as_list() ? core::value{core::list{*claim}} : *claim;
        if (claim->as_object() || (claim->as_list() && !many)) {
            into.remark = into.reference + " is " + std::string(claim->kind()) + ", and one value is wanted";
        } else if (const auto bound = bound_predicate::bind(predicate(literal), over_, nullptr); !bound) {
            into.remark = bound.error().message;
        }
    }

    void look_up_set(const predicate::reference& to, condition& into) const
    {
        const auto found = who_ ? who_->sets.find(to.name()) : decltype(who_->sets)::const_iterator();
        if (!who_ || found == who_->sets.end()) {
            const std::string why = why_unknown(to.name());
            into.remark = "what the set " + quoted(to.name()) + " holds for this user is not known" + (why.empty() ? "" : ": " + why);
            return;
        }
        core::list values = core::list_of(found->second->texts());
        if (found->second->has_null()) {
            values.push_back({nullptr});
        }
        into.compared = core::value{std::move(values)};
    }

    std::string why_unknown(const std::string& set) const
    {
        if (!with_) {
            return "";
        }
        if (const auto why = with_->unknown.find(set); why != with_->unknown.end()) {
            return why->second;
        }
        const auto definition = with_->all.sets.find(set);
        return definition == with_->all.sets.end() ? "" : missing_claim(*definition->second, *who_);
    }

    std::string remark_on(const predicate::condition& source, std::string_view value) const
    {
        const column* over = over_.find(source.column);
        if (value == "null") {
            return "compared with null, which is neither true nor false";
        }
        if (over && !canonical(over->family, value)) {
            return "the row's value is not " + std::string(describe(over->family)) + ", as values of type " + over->type +
                   " are";
        }
        return "a null is among the values";
    }

    const table& over_;
    const context* with_;
    const identity* who_;
    const core::row& row_;
    bool whole_;
};

std::string misfit_of(const rule& candidate, const table& over, const identity& who)
{
    if (!gives_key(candidate, over)) {
        return "it does not give the key columns, so it gives nothing";
    }
    const auto bound = bound_predicate::bind(candidate.where, over, &who);
    return bound ? "" : "it does not fit the table, so it gives nothing: " + bound.error().message;
}

explained_rule examine(const rule& candidate, const table& over, const identity& who, const examiner& examine)
{
    explained_rule found{0, candidate.at, candidate.roles, candidate.columns, is_for(candidate, who), {}, {}};
    found.misfit = misfit_of(candidate, over, who);
    if (found.for_user && found.misfit.empty()) {
        found.where = examine.examine(candidate.where);
    }
    return found;
}

bool holds(const explained_rule& rule)
{
    return rule.where && rule.where->holds.is(truth::yes);
}

explained_row examine(const context& with, const table& over, const core::row& row, bool whole, const predicate& filter)
{
    explained_row found;
    const examiner by_rules(over, &with, row, whole);
    if (const auto rules = with.all.tables.find(over.name); rules != with.all.tables.end()) {
        for (const rule& each : rules->second) {
            found.rules.push_back(examine(each, over, with.who, by_rules));
            found.rules.back().number = found.rules.size();
        }
    }
    found.filter = examiner(over, nullptr, row, whole).examine(filter);
    for (const column& each : over.columns) {
        const auto gives = [&](const explained_rule& rule) {
            return holds(rule) && (!rule.columns || contains(*rule.columns, each.name));
        };
        if (std::any_of(found.rules.begin(), found.rules.end(), gives)) {
            found.columns.push_back(each.name);
        }
    }
    std::vector<std::string> filtered;
    filter.columns(filtered);
    for (const std::string& each : filtered) {
        if (!contains(found.columns, each) && !contains(found.hidden, each)) {
            found.hidden.push_back(each);
        }
    }
    return found;
}

bool is_visible(const std::optional<explained_row>& row)
{
    return row && row->filter.holds.is(truth::yes) && row->hidden.empty() &&
           std::any_of(row->rules.begin(), row->rules.end(), holds);
}

// Why a row is not seen.
std::string why_hidden(const explained_row& row)
{
    const auto may_hold = [](const explained_rule& rule) { return rule.where && rule.where->holds.may_be(truth::yes); };
    if (std::none_of(row.rules.begin(), row.rules.end(), may_hold)) {
        return "no rule for this user holds";
    }
    if (!row.filter.holds.may_be(truth::yes)) {
        return "the client's own filter does not hold";
    }
    return "the client's filter names " + listed(row.hidden) + ", which no rule that holds gives of this row";
}

std::string why_nothing(const explanation& of)
{
    if (of.before && of.after) {
        if (is_visible(of.before) && is_visible(of.after)) {
            return "nothing that the user may see has changed";
        }
        const std::string before = why_hidden(*of.before);
        const std::string after = why_hidden(*of.after);
        return "neither the old row nor the new one is visible: " +
               (before == after ? after : before + " for the old one, and " + after + " for the new one");
    }
    return why_hidden(of.after ? *of.after : *of.before);
}

std::string why_sent(const explanation& of)
{
    const operation cause = of.change->cause;
    if (of.event->op == operation::insert && cause == operation::update) {
        return "the UPDATE brings the row into what the user sees";
    }
    if (of.event->op == operation::remove && cause == operation::update) {
        return "the UPDATE takes the row out of what the user sees";
    }
    return "the user may see the row";
}

} // namespace

std::string_view to_string(explanation::verdict what)
{
    switch (what) {
    case verdict::sent:
        return "sent";
    case verdict::nothing:
        return "nothing";
    case verdict::resync:
        return "resync";
    case verdict::refused:
        break;
    }
    return "refused";
}

std::string to_text(const predicate::condition& condition)
{
    const std::string text = condition.column + " " + std::string(to_string(condition.comparison)) + " ";
    if (const auto* to = std::get_if<predicate::reference>(&condition.right)) {
        return text + to_text(*to);
    }
    const auto& literal = std::get<core::value>(condition.right);
    const bool word = condition.comparison == predicate::op::is && literal.as_string();
    return text + (word ? *literal.as_string() : core::to_json(literal));
}

explanation explain(const rules& all, std::shared_ptr<const table> over, const identity& who,
                    std::shared_ptr<const core::change> change, const table_request& wanted, const unknown_sets& unknown)
{
    const context with{all, who, unknown};
    explanation found;
    found.over = over;
    found.change = change;
    const bool whole = !change->truncated;
    if (change->before.present()) {
        found.before = examine(with, *over, change->before, whole, wanted.where);
    }
    if (change->after.present()) {
        found.after = examine(with, *over, change->after, whole, wanted.where);
    }
    const auto view = authorize(all, over, who, wanted);
    if (!view) {
        found.what = verdict::refused;
        found.reason = view.error().message;
        return found;
    }
    if (!found.before && !found.after) {
        found.what = verdict::sent;
        found.reason = std::string(core::to_string(change->op)) + " is told to every subscriber of the table";
        return found;
    }
    auto outcome = view->see(*change);
    if (auto* seen = std::get_if<effect>(&outcome)) {
        found.what = verdict::sent;
        found.event = std::move(*seen);
        found.reason = why_sent(found);
    } else if (std::holds_alternative<visibility::unknowable>(outcome)) {
        found.what = verdict::resync;
        found.reason = "the row was too large for the log, and its key alone does not decide; the user is told to read again";
    } else {
        found.reason = why_nothing(found);
    }
    return found;
}

explanation explain_channel(const rules& all, const std::string& channel, const identity& who, const unknown_sets& unknown)
{
    explanation found;
    std::string json = "{\"channel\":";
    core::append_quoted(json, channel);
    auto made = std::make_shared<core::change>();
    made->channel = channel;
    if (auto row = core::row::parse(json + "}")) {
        made->after = std::move(*row);
    }
    rules matching{{}, {}, all.sets};
    std::vector<rule>& candidates = matching.tables[channel_table().name];
    for (const auto& [pattern, given] : all.channels) {
        if (matches_channel(pattern, channel)) {
            candidates.insert(candidates.end(), given.begin(), given.end());
        }
    }
    found.over = std::make_shared<const table>(channel_table());
    found.after = examine({matching, who, unknown}, channel_table(), made->after, true, {});
    found.change = std::move(made);
    if (const auto given = authorize_channel(all, channel, who)) {
        found.what = verdict::sent;
        found.reason = "a rule gives the user this channel";
    } else {
        found.what = verdict::refused;
        found.reason = given.error().message;
    }
    return found;
}

} // namespace rowcast::policy
