#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace rowcast::postgres {

struct connection_options {
    std::string url; // postgresql://... or keywords; what it leaves open comes from the environment (PGHOST, ...)
    std::string purpose = "rowcast";                                     // application_name, unless the URL has one
    bool read_only = true;                                               // default_transaction_read_only
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(5); // for each host of the URL
    std::chrono::milliseconds statement_timeout = std::chrono::seconds(30);
};

// What libpq is to be given: the URL with what it leaves open. Holds the password. Throws connection_lost where the URL
// cannot be read.
std::string conninfo(const connection_options& options);

// The statements that each session begins with.
std::string session_settings(const connection_options& options);

// "127.0.0.1:5432/shop as user bridge"
std::string place_text(std::string_view host, std::string_view port, std::string_view database, std::string_view user);

// The same for a URL that nothing answers from.
std::string place_of(const std::string& url);

} // namespace rowcast::postgres
