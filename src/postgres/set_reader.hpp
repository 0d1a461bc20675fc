#pragma once

#include "core/snapshot.hpp"
#include "observe/observation.hpp"
#include "policy/set.hpp"
#include "policy/table.hpp"
#include "postgres/connection.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rowcast::postgres {

// A set's query as PostgreSQL understands it.
struct set_statement {
    std::string sql; // of many calls at once; empty where there is a problem
    std::shared_ptr<const policy::set_plan> plan;
    std::string problem; // why it cannot be used: for the author of the configuration

    bool operator==(const set_statement& other) const
    {
        return sql == other.sql && *plan == *other.plan && problem == other.problem;
    }
};

// What one call gives.
struct set_content {
    std::vector<std::string> texts;
    bool has_null = false;
    std::string problem; // why it could not be read; may quote arguments and rows
    std::string misfit;  // the SQLSTATE, where one of them is no value for what the query does with it: trying again is of no use

    bool is_unreadable() const { return !problem.empty() && misfit.empty(); }
};

// Runs the queries of sets, on a connection that it keeps. Used by one thread at a time; calls block, each for as long
// as the connection lets a statement run. Throws what the connection throws.
class set_reader {
public:
    static constexpr std::size_t most_values = 10'000; // of one set; more is a problem, never a part of them
    static constexpr std::size_t most_at_once = 500;   // calls in one statement

    // All given here must outlive it; `stop` may be null.
    set_reader(connection_options options, const observe::sink& sink, const event* stop);

    set_statement prepare(const policy::set_definition& of, const policy::catalog& watched);

    // In the order of the arguments, in as few statements as there can be. What is read is on disk, and not older than
    // what `at_least` sees: a server of another past is an error.
    std::vector<set_content> read(const set_statement& how, const std::vector<std::vector<std::string>>& arguments,
                                  const core::snapshot& at_least);

private:
    using arguments = std::vector<std::vector<std::string>>;

    connection& connected();
    void read(const set_statement& how, const arguments& all, std::size_t first, std::size_t count,
              const core::snapshot& at_least, std::vector<set_content>& into);
    std::vector<set_content> read_once(const set_statement& how, const arguments& all, std::size_t first,
                                       std::size_t count, const core::snapshot& at_least);

    connection_options options_;
    const observe::sink& sink_;
    const event* stop_;
    std::optional<connection> connection_;
};

// The query with each `$1` outside of quotes and comments replaced by what stands for it.
std::string replace_parameters(std::string_view sql, const std::vector<std::string>& by);

// By which column of the table its rows are found, whatever the plan: EXPLAIN's answer in JSON says of every scan of it
// that the column equals a parameter. Nothing where that cannot be seen. The argument's number is from 0.
std::optional<policy::set_dependency> find_key(const core::value& explained, const std::string& schema,
                                               const std::string& relation, const policy::table& over);

} // namespace rowcast::postgres
