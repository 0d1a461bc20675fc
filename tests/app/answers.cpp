#include "app/running_bridge.hpp"
#include "support/websocket_client.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <semaphore>

namespace rowcast {

using namespace std::chrono_literals;

TEST_CASE("a bridge answers unless one of its threads is stuck")
{
    std::binary_semaphore go_on(0);
    std::atomic<bool> stuck = false;
    const auto tell = [&](const observe::observation& what) {
        if (std::holds_alternative<observe::session_opened>(what) && !stuck.exchange(true)) {
            go_on.acquire(); // on the thread of the client's shard
        }
    };
    app::bridge bridge(test::open_to_all("postgresql://127.0.0.1:1/nothing", 1s), {.tell = tell, .metrics = {}, .find_page = {}});
    bridge.start();
    CHECK(bridge.answers(support::patience));
    auto opening = std::async(std::launch::async, [&] { support::websocket_client(bridge.port()); });
    REQUIRE(support::eventually([&] { return stuck.load(); }));
    CHECK_FALSE(bridge.answers(50ms));
    go_on.release();
    CHECK(bridge.answers(support::patience));
    opening.wait();
}

} // namespace rowcast
