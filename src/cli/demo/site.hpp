#pragma once

#include "config/configuration.hpp"
#include "net/services.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rowcast::cli::demo {

// The configuration that the demo's bridge runs with: the page's rules.yaml, and a secret that nobody else knows.
config::configuration make_configuration(const std::string& database_url, std::uint16_t port);

// What is served besides rowcast's own resources: the files of the page, and demo.json with what it must know.
class site {
public:
    // `psql_line` is what a person types to get into the database.
    site(const config::auth& keys, std::string psql_line);

    std::optional<net::page> find(std::string_view path) const;

private:
    std::string about_; // demo.json
};

} // namespace rowcast::cli::demo
