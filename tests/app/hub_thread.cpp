#include "app/hub_thread.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "app/log_readings.hpp"
#include "app/row_readings.hpp"
#include "hub/orders.hpp"
#include "support/recorder.hpp"

namespace rowcast::app {

using namespace std::chrono_literals;
namespace orders = hub::orders;

namespace {

core::change message_on(const std::string& channel)
{
    core::change made;
    made.op = made.cause = core::operation::message;
    made.channel = channel;
    return made;
}

} // namespace

TEST_CASE("Of messages of NOTIFY ten thousand wait, and each further one is dropped and told")
{
    support::recorder got;
    log_readings log({}, 1, got.sink());
    row_readings rows({}, {}, {}, got.sink());
    hub_thread hub({}, log, rows, got.sink()); // has no beginning yet, so that everything waits for it
    for (int i = 0; i < 10'000; ++i) {
        hub.message(message_on("kept"));
    }
    CHECK(hub.queues().messages == 10'000);
    CHECK(got.count<observe::message_dropped>() == 0);
    hub.message(message_on("lost"));
    hub.message(message_on("lost"));
    CHECK(hub.queues().messages == 10'000);
    CHECK(got.count<observe::message_dropped>() == 2);
    CHECK(got.wait_for<observe::message_dropped>().channel == "lost");
}

TEST_CASE("How long handing out takes is told when the last shard has, of what concerns somebody")
{
    support::recorder got;
    log_readings log({}, 1, got.sink());
    row_readings rows({}, {}, {}, got.sink());
    hub_thread hub({}, log, rows, got.sink());
    std::promise<std::shared_ptr<void>> handed[2];
    std::size_t publications = 0;
    hub.connect([](hub::shard_id, const auto& work) { work(); },
                [&](const hub::publication_ptr&, const auto& ticket) { handed[publications++].set_value(ticket); }, [] {});
    hub.started(std::make_shared<const core::cursor_codec>("a log", "0123456789abcdef"), {5, 5, {}}, {});
    hub.attach(0, {{orders::seen_through(orders::equals("status", orders::text("open")))}, {}}, [](const auto&) {});
    const auto publish = [&](core::transaction_id number, const std::string& status) {
        auto step = std::make_shared<core::batch>();
        step->before = {number, number, {}};
        step->after = {number + 1, number + 1, {}};
        step->changes.push_back(orders::update(R"({"id":1,"owner_id":1,"status":")" + status + R"("})", R"({"id":1,"owner_id":2,"status":")" + status + R"("})"));
        step->changes.back().xid = number;
        step->changes.back().where = {number, number};
        hub.publish(step, {});
        return handed[number - 5].get_future().get();
    };

    auto of_nobody = publish(5, "closed");
    std::this_thread::sleep_for(1ms);
    of_nobody.reset();

    const auto began = std::chrono::steady_clock::now();
    auto first_shard = publish(6, "open");
    auto second_shard = first_shard;
    std::this_thread::sleep_for(20ms);
    first_shard.reset();
    CHECK(hub.handing_out() == 0us);
    second_shard.reset();
    hub.stop(); // which has let go of its own
    CHECK(hub.handing_out() > 0us);
    CHECK(hub.handing_out() <= std::chrono::steady_clock::now() - began);
}

} // namespace rowcast::app
