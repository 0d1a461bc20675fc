#pragma once

#include "core/change.hpp"
#include "policy/identity.hpp"
#include "policy/predicate.hpp"
#include "policy/table.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace rowcast::policy {

// `sets` of the configuration: values from SQL, for each user their own.
struct set_definition {
    std::string name;
    std::string query;                          // of one column
    std::vector<predicate::operand> parameters; // of $1, $2 ...: plain values and claims
    std::vector<std::string> watch;             // the tables whose changes may change it
    core::mark at;

    std::string text() const; // all that decides its values
};

using set_definition_ptr = std::shared_ptr<const set_definition>;

// A set for one user: everybody for whom the parameters have the same values shares it.
struct set_call {
    set_definition_ptr of;
    std::vector<std::string> arguments; // as PostgreSQL reads them

    std::string key() const;
};

// By what a changed row is known to concern only some of a set's calls.
struct set_dependency {
    bool operator==(const set_dependency&) const = default;

    std::string table;
    std::string column;       // empty: any change of the table may concern any call
    std::size_t argument = 0; // the column equals this one in every row that matters
    type_family family = type_family::other;
};

using set_plan = std::vector<set_dependency>;

// The values of one call at one moment. When they change another one takes its place, and this one is superseded: who
// depends on it reads again. Immutable but for that; any thread.
class set_value {
public:
    // `version` is another one for each value of a process.
    set_value(const set_call& call, std::uint64_t version, std::shared_ptr<const set_plan> plan,
              std::vector<std::string> texts, bool has_null);

    // No two values share it, so that it can stand for them in a view's text.
    const std::string& identity() const { return identity_; }

    // As PostgreSQL prints them; sorted, each once.
    const std::vector<std::string>& texts() const { return texts_; }

    bool has_null() const { return has_null_; }

    std::size_t memory() const { return memory_; } // bytes, about

    bool has_same_values(const set_value& other) const
    {
        return has_null_ == other.has_null_ && texts_ == other.texts_;
    }

    // In canonical form (scalar.hpp), sorted, each once: shared by all who compare with them. What is no value of the
    // family counts as null.
    struct members {
        std::shared_ptr<const std::vector<std::string>> values;
        bool null = false;
    };
    members in(type_family family) const;

    // Whether a change may have another value follow this one. Errs on the side of yes. None of a table does at which it
    // does not look.
    bool may_be_changed_by(const core::change& change) const;
    bool looks_at(std::string_view table) const;

    void supersede() const { superseded_ = true; }

    bool is_superseded() const { return superseded_; }

private:
    friend class set_index;

    std::string identity_;
    std::shared_ptr<const set_plan> plan_;
    std::vector<std::string> keys_; // of the plan's dependencies: the argument in canonical form; empty: any
    std::vector<std::string> texts_;
    bool has_null_;
    std::size_t memory_ = sizeof(set_value);
    mutable std::atomic<bool> superseded_ = false;
    mutable std::mutex mutex_; // of what follows
    mutable std::unordered_map<type_family, members> by_family_;
};

// Null where there are none.
using set_value_ptr = std::shared_ptr<const set_value>;

// The arguments in the form in which changed rows are compared with them, one for each dependency; empty where they
// cannot be: then any change counts.
std::vector<std::string> set_keys(const set_plan& plan, const std::vector<std::string>& arguments);

// Finds by hash which of many calls a change may concern. Those that it finds are numbers that the owner gave. One
// thread.
class set_index {
public:
    void add(const set_plan& plan, const std::vector<std::string>& keys, std::size_t number);
    void remove(const set_plan& plan, const std::vector<std::string>& keys, std::size_t number);

    // The same, of a value.
    void add(const set_value& value, std::size_t number) { add(*value.plan_, value.keys_, number); }

    bool looks_at(std::string_view table) const;

    // Adds those that the change may concern; some may be found twice.
    void find(const core::change& change, std::unordered_set<std::size_t>& found) const;

    // The tables at which it looks.
    std::vector<std::string> tables() const;

private:
    using numbers = std::unordered_set<std::size_t>;

    struct by_column {
        type_family family = type_family::other;
        std::unordered_map<std::string, numbers> keys;
    };

    struct by_table {
        numbers all;
        numbers unkeyed;
        std::map<std::string, by_column, std::less<>> columns;
    };

    std::map<std::string, by_table, std::less<>> tables_;
};

} // namespace rowcast::policy
