#pragma once

#include "core/result.hpp"
#include "core/row.hpp"
#include "core/value.hpp"
#include "policy/identity.hpp"
#include "policy/table.hpp"
#include "policy/truth.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rowcast::policy {

// The one predicate language: rules (YAML), client filters (JSON) and filters in URLs are all read into a core::value
// of this form and then into a predicate:
//
//     {status: open}                        a bare value is eq; null is `is null`
//     {total: {gte: 100}, status: {in: [open, paid]}}       members of one object are and-ed
//     {or: [{...}, {...}]}  {and: [...]}  {not: {...}}
//     {owner_id: {eq: $claims.sub}}         rules only: from the user's token, a dotted path
//     {region: {in: $sets.my_regions}}      rules only: a set of the configuration
//
// Immutable, cheap to copy, any thread.
class predicate {
public:
    enum class op { eq, neq, gt, gte, lt, lte, in, nin, is, like, ilike, contains };

    struct reference {
        enum class kind { claims, sets } from;
        std::vector<std::string> path;

        std::string name() const; // the path with dots in it
    };

    using operand = std::variant<core::value, reference>;

    struct condition {
        std::string column;
        op comparison;
        operand right; // a list for in and nin
        core::mark at;
    };

    struct group {
        enum class kind { all, any, none } of; // and, or, not(and)
        std::vector<predicate> parts;
    };

    // Larger ones are refused: an evaluation is paid once a change and view.
    static constexpr std::size_t deepest = 32;
    static constexpr std::size_t most_conditions = 500;
    static constexpr std::size_t longest_list = 10'000;

    predicate() = default; // holds for every row
    explicit predicate(condition only);
    explicit predicate(group parts);

    // References are refused where `references` is false (a client's filter). Where it is true, every string that
    // begins with `$` is one, and `$$` stands for a plain `$`. Fails with bad_filter: the message names the member, its
    // place
    // (`where.total.gte`), and the nearest valid word; `at`, if given, becomes the place in the file.
    static core::result<predicate> parse(const core::value& tree, bool references, core::mark* at = nullptr);

    // Only where it is not `always`.
    const std::variant<group, condition>& node() const;

    bool always() const { return node_ == nullptr; }

    // Every column that the predicate names, each once for each time.
    void columns(std::vector<std::string>& out) const;

    // Every condition that compares with a claim or a set. They live as long as this.
    void references(std::vector<const condition*>& out) const;

private:
    std::shared_ptr<const std::variant<group, condition>> node_; // null: always
};

// The tree that it could have been read from, as a rule's.
core::value to_value(const predicate& of);

// "eq", as rules and filters spell it.
std::string_view to_string(predicate::op which);

// A predicate with its claims filled in and its literals brought into the column's type, ready to be evaluated.
// Two bound predicates with the same `text()` hold for the same rows. Immutable, cheap to copy, any thread; the table
// that it was bound to must outlive it.
class bound_predicate {
public:
    bound_predicate() = default; // holds for every row

    // `who` may be null where there are no references. Fails with unknown_column, or bad_filter where the column's
    // type cannot be compared so or a literal is none of its values (the message says which type and what to do); `at`,
    // if given, becomes the place in the file. A claim that is missing, null or no value of the column's type makes its
    // condition unknown for every row: a rule over it gives nothing.
    static core::result<bound_predicate> bind(const predicate& source, const table& over, const identity* who,
                                              core::mark* at = nullptr);

    // A column that the row does not have counts as null.
    truth evaluate(const core::row& candidate) const;

    // Whether the predicate holds for a row of which only some columns are known (one too large for the log has only
    // its key): `maybe` where the others would decide.
    enum class certainty { no, maybe, yes };
    certainty evaluate_part(const core::row& known) const;

    // Every column that it names, whether it can decide or not.
    void columns(std::vector<std::string>& out) const;

    // A canonical spelling, for sharing views. Not for people. Made anew by each call.
    std::string text() const;

    bool always() const { return node_ == nullptr; }

    // A condition `column = one of these values` that every row for which the predicate holds satisfies: what views
    // are indexed by. Values are in the form of `index_key`; without any, the predicate holds for no row. Nothing where
    // there is no such condition.
    struct equality {
        const column* over = nullptr; // null where there are no values
        std::vector<std::string> values; // sorted
    };

    // With at most `most` values, of which it makes copies.
    std::optional<equality> indexable(std::size_t most = SIZE_MAX) const;

    struct node; // bound_node.hpp

    const node* root() const { return node_.get(); } // null: always

private:
    std::shared_ptr<const node> node_;
};

// The canonical form of a column's raw JSON value, the same for all values that are equal in SQL (1.50 and 1.5, a
// uuid in any case); empty for null and for what is no value of the family. What `equality::values` are compared with.
std::string index_key(type_family family, std::string_view json);

} // namespace rowcast::policy
