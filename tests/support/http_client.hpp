#pragma once

#include "support/eventually.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rowcast::support {

/// One HTTP/1.1 connection to 127.0.0.1, for tests.
class http_client {
public:
    using headers = std::map<std::string, std::string>;

    struct answer {
        unsigned status = 0;
        headers fields; // names in lower case
        std::string body;
    };

    /// With a `receive_buffer` of that many bytes, so that it is soon full; 0: the kernel's choice.
    explicit http_client(std::uint16_t port, int receive_buffer = 0);
    ~http_client();
    http_client(http_client&&) noexcept;
    http_client& operator=(http_client&&) noexcept;

    answer get(std::string_view target, const headers& extra = {}, std::chrono::milliseconds within = patience);
    answer request(std::string_view method, std::string_view target, const headers& extra, std::string_view body,
                   std::chrono::milliseconds within = patience);

    /// Begins a server-sent event stream; the answer has no body.
    answer open_stream(std::string_view target, const headers& extra = {});

    struct event {
        std::string name; // "message" where the stream does not say
        std::string data;
        std::optional<std::string> id;
    };
    /// The next event of the stream; comments are skipped. Nothing at its end. Throws when none comes in time.
    std::optional<event> next_event(std::chrono::milliseconds within = patience);

private:
    struct state;
    std::unique_ptr<state> state_;
};

}
