#pragma once

#include "app/bridge.hpp"
#include "support/http_client.hpp"
#include "support/recorder.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>

namespace rowcast::test {

// What lets everybody see everything in these tables of the database.
inline config::configuration open_to_all(const std::string& url, std::chrono::milliseconds poll_interval,
                                         const std::vector<std::string>& tables = {"public.t"})
{
    config::configuration settings;
    settings.database.url = url;
    settings.database.poll_interval = poll_interval;
    settings.server.listen = {{{"127.0.0.1", 0}}};
    settings.server.admin = settings.server.listen.front();
    settings.server.limits.connects_per_second_per_address = 100'000;
    for (const std::string& table : tables) {
        settings.rules.tables[table].push_back({{}, {}, std::nullopt, {}});
    }
    return settings;
}

// A bridge in this process that has read its catalog and is ready.
class running_bridge {
public:
    // A poll_interval of hours makes one that reads only when the bell rings.
    explicit running_bridge(const std::string& url, std::chrono::milliseconds poll_interval = std::chrono::milliseconds(100))
        : running_bridge(open_to_all(url, poll_interval))
    {
    }

    // `reload` reads `next`, in a file called bridge.yaml.
    explicit running_bridge(const config::configuration& settings)
        : next(settings), bridge_(settings, {.tell = got.sink(), .metrics = {}, .find_page = {}, .read_again = [this] { return next; }, .file = "bridge.yaml"})
    {
        bridge_.start();
        REQUIRE(support::eventually([this] { return bridge_.not_ready().empty(); }));
        REQUIRE(support::eventually([this] { return support::http_client(port()).get("/v1/changes?table=public.t").status == 200; }));
    }

    ~running_bridge() { bridge_.stop(std::chrono::seconds(1)); }

    std::uint16_t port() const { return bridge_.port(); }
    std::uint16_t admin_port() const { return bridge_.admin_port(); }
    std::vector<config::problem> reload() { return bridge_.reload(); }
    std::vector<std::string> not_ready() const { return bridge_.not_ready(); }

    support::recorder got;
    config::loaded next;

private:
    app::bridge bridge_;
};

} // namespace rowcast::test
