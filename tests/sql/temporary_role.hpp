#pragma once

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "support/database.hpp"

namespace rowcast::test {

/// A role of the cluster for one test, named after its database. Declared after the database, so that it goes first, with
/// all it owns there.
class temporary_role {
public:
    temporary_role(const support::database& db, const std::string& purpose, const std::string& rights = "")
        : db_{db}
        , name{db.name() + "_" + purpose}
    {
        db_.execute("create role " + name + " " + rights);
    }

    ~temporary_role()
    {
        try {
            db_.execute("reassign owned by " + name + " to current_user; drop owned by " + name + " cascade; drop role " + name);
        } catch (const std::exception& error) {
            WARN("role " << name << " stays in the cluster: " << error.what());
        }
    }

    temporary_role(const temporary_role&) = delete;
    temporary_role& operator=(const temporary_role&) = delete;

    /// Acts as this role, without a superuser's rights.
    std::unique_ptr<pqxx::connection> connect() const
    {
        auto connection = std::make_unique<pqxx::connection>(db_.url());
        pqxx::nontransaction{*connection}.exec("set session authorization " + name);
        return connection;
    }

private:
    const support::database& db_;

public:
    const std::string name;
};

}
