#include "support/tcp_proxy.hpp"

#include "support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>

using namespace rowcast::support;

TEST_CASE("a proxy ends, though what goes through it ends in the same moment")
{
    tcp_proxy silent{9}; // accepts
    silent.silence();
    auto ended = std::async(std::launch::async, [&] {
        for (int i = 0; i < 10'000; ++i) {
            tcp_proxy proxy{silent.port()};
            {
                const raw_client client{proxy.port()};
                proxy.pass(); // it has accepted
            }
            const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(i % 1000 * 100);
            while (std::chrono::steady_clock::now() < until) {
            }
        }
    });
    CHECK(ended.wait_for(patience) == std::future_status::ready);
}
