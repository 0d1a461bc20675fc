#pragma once

#include "core/change.hpp"
#include "policy/predicate.hpp"
#include "policy/table.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rowcast::policy {

// What one change is to one viewer (DESIGN "What a subscriber receives"). The fields point into the change.
struct effect {
    core::operation op =
        core::operation::insert; // on the view: a row that enters is an INSERT, one that leaves a DELETE
    bool truncated = false;
    std::vector<core::field> key;
    std::vector<core::field> row; // INSERT, UPDATE
    std::optional<std::vector<core::field>>
        old; // where asked for: of an UPDATE the changed columns, of a real DELETE the row
    // UPDATE: columns whose JSON differs or that came into view; also those that went out of it, which `row` no longer
    // has.
    std::optional<std::vector<std::string_view>> changed;
};

// A rule that applies to the user, bound to their claims.
struct grant {
    bound_predicate where;
    std::optional<std::vector<std::string>> columns; // sorted; nothing: every captured column
};

// Everything that decides what a viewer sees of a table: any grant that holds makes a row visible, with the union of
// the columns of those that hold; the filter narrows the rows, the request the columns. Pure and immutable; any thread.
class visibility {
public:
    visibility(std::shared_ptr<const table> over, std::vector<grant> grants, bound_predicate filter,
               std::optional<std::vector<std::string>> columns, bool old);

    // Viewers with the same text see the same of every change, and share a view. Made anew by each call: there may be a
    // million of these, and what they have in common would be most of their memory.
    std::string text() const;

    const table& over() const { return *over_; }

    const std::vector<grant>& grants() const { return grants_; }

    const bound_predicate& filter() const { return filter_; }

    const std::vector<std::string>& filter_columns() const { return filter_columns_; } // sorted, each once

    struct nothing {}; // the change is not this viewer's, or changes nothing that they may see

    struct unknowable {}; // the row was too large for the log and its key alone does not decide: read again

    using outcome = std::variant<nothing, effect, unknowable>;

    // For INSERT, UPDATE and DELETE of this table. (TRUNCATE and RESYNC go to every subscriber of the table.)
    outcome see(const core::change& change) const;

    // The equality conditions one of which every visible row satisfies, one for each grant (the filter's own serves
    // for all); empty where some grant has none, or together they have more than `most` values, so that the view must look at
    // every change. Says nothing of truncated changes, whose rows lack the columns.
    std::vector<bound_predicate::equality> indexable(std::size_t most = SIZE_MAX) const;

private:
    struct sight;
    sight look(const core::row& row) const;
    bound_predicate::certainty look_at_part(const core::row& row) const;
    std::vector<core::field> fields(const core::row& row, const sight& seen) const;
    outcome see_part(const core::change& change) const;
    outcome see_update(const core::change& change, const sight& before, const sight& after) const;

    std::shared_ptr<const table> over_;
    std::vector<grant> grants_;
    bound_predicate filter_;
    std::vector<std::string> filter_columns_; // sorted
    std::optional<std::vector<std::string>> columns_;
    bool old_;
};

} // namespace rowcast::policy
