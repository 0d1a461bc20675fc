// A filter (the first line, as JSON) over a row of all kinds of columns (the second one).

#include "policy/predicate.hpp"

#include <algorithm>

#include "fuzz/columns.hpp"
#include "fuzz/fuzzer.hpp"
#include "policy/contradiction.hpp"
#include "policy/predicate_sql.hpp"
#include "policy/visibility.hpp"
#include "protocol/json.hpp"

namespace rowcast::fuzz {
namespace {

using namespace policy;

bound_predicate bind(const core::value& tree)
{
    const auto read = predicate::parse(tree, false);
    must(read.has_value(), "what was read is read again");
    auto bound = bound_predicate::bind(*read, *every_column(), nullptr);
    must(bound.has_value(), "what was bound is bound again");
    return std::move(*bound);
}

void check_index(const bound_predicate& bound, const core::row& row)
{
    const auto equality = bound.indexable();
    if (!equality) {
        return;
    }
    must(equality->over, "without a value no row is found");
    const auto value = row.find(equality->over->name);
    must(value && std::binary_search(equality->values.begin(), equality->values.end(), index_key(equality->over->family, *value)),
         "a row is found through the index");
}

void check(const core::value& tree, const predicate& read, const bound_predicate& bound, const core::row& row)
{
    const truth holds = bound.evaluate(row);
    must(bind({core::object{{"not", tree}}}).evaluate(row) == !holds, "not is not");
    must(bind({core::object{{"and", {core::list{tree, tree}}}}}).evaluate(row) == holds, "twice the same is the same");
    const auto certain = bound.evaluate_part(row);
    must(certain != bound_predicate::certainty::yes || holds == truth::yes, "what certainly holds holds");
    must(certain != bound_predicate::certainty::no || holds != truth::yes, "what certainly does not hold does not hold");
    if (holds == truth::yes) {
        must(!find_contradiction(read, *every_column()), "what is called a contradiction holds for no row");
        check_index(bound, row);
    }
}

} // namespace

void parse(std::string_view input)
{
    const std::size_t line = std::min(input.find('\n'), input.size());
    const auto tree = protocol::parse_json(input.substr(0, line));
    if (!tree) {
        return;
    }
    const auto read = predicate::parse(*tree, false);
    if (!read) {
        must_be_readable(read.error().message);
        return;
    }
    const auto bound = bound_predicate::bind(*read, *every_column(), nullptr);
    if (!bound) {
        must_be_readable(bound.error().message);
        return;
    }
    must(bind(*tree).text() == bound->text(), "the same predicate has the same text");
    must(is_within(*read, *read), "a predicate is within itself");
    const auto sql = condition_sql(visibility(every_column(), {{*bound, std::nullopt}}, *bound, std::nullopt, false));
    must(sql.text.find("$" + std::to_string(sql.parameters.size() + 1)) == std::string::npos, "a parameter that is named is given");
    if (const auto row = core::row::parse(std::string(input.substr(std::min(line + 1, input.size()))))) {
        check(*tree, *read, *bound, *row);
    }
}

} // namespace rowcast::fuzz
