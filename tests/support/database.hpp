#pragma once

#include <pqxx/pqxx>

#include <string>
#include <string_view>

namespace rowcast::support {

/// `database db{with_rowcast};`
struct with_rowcast_t {};

inline constexpr with_rowcast_t with_rowcast{};

/// A database of its own for one test, in the run's cluster (tests/support/cluster); the destructor drops it, whoever is
/// still connected and whatever is prepared there. Its owner is the cluster's superuser.
class database {
public:
    /// An empty one.
    database();

    /// One with sql/triggers installed. It is a copy of a template, which takes some 30 ms; its log has been claimed, as a
    /// bridge would.
    explicit database(with_rowcast_t);

    ~database();
    database(const database&) = delete;
    database& operator=(const database&) = delete;

    const std::string& name() const noexcept { return name_; }

    /// Through the cluster's socket, as superuser.
    const std::string& url() const noexcept { return url_; }

    /// The same over loopback, for tests that put something between.
    const std::string& tcp_url() const noexcept { return tcp_url_; }

    pqxx::connection connect() const;

    /// Runs one or more statements, each a transaction of its own unless `sql` says `begin`, and returns the last one's result.
    pqxx::result execute(std::string_view sql) const;

private:
    explicit database(std::string_view template_name);

    std::string name_;
    std::string url_;
    std::string tcp_url_;
};

/// `url` with another database. The url has a path, as those of the test cluster do.
std::string with_database(std::string_view url, std::string_view name);

}
