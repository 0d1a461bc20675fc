#pragma once

#include "torture/account.hpp"
#include "torture/dice.hpp"
#include "torture/world.hpp"

#include <pqxx/pqxx>

#include <functional>
#include <optional>
#include <string>

namespace rowcast::torture {

// One connection that writes, comes back after it was lost, and counts what it commits.
class writer {
public:
    writer(const world& in, account& to, dice chance)
        : in_(in)
        , to_(to)
        , random(std::move(chance))
    {
    }

    // Does this again and again until the writing ends. What the server refuses is rolled back, a lost connection made anew.
    void run(const std::function<void()>& once);

    pqxx::result sql(const std::string& text);

    void begin() { sql("begin"); }

    // Commits, and counts it.
    void commit();

    void roll_back() { sql("rollback"); }

    pqxx::connection& connection() { return *connection_; }

    const world& in() const { return in_; }

    account& to() { return to_; }

private:
    void connect();

    const world& in_;
    account& to_;
    std::optional<pqxx::connection> connection_;

public:
    dice random;
    std::function<void()> at_start; // of each connection
};

} // namespace rowcast::torture
