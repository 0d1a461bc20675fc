#include "app/hub_thread.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "app/log_readings.hpp"
#include "app/row_readings.hpp"
#include "support/recorder.hpp"

namespace rowcast::app {

using namespace std::chrono_literals;

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

TEST_CASE("How long handing out takes is told from publishing to the last shard")
{
    support::recorder got;
    log_readings log({}, 1, got.sink());
    row_readings rows({}, {}, {}, got.sink());
    hub_thread hub({}, log, rows, got.sink());
    std::promise<std::shared_ptr<void>> handed;
    hub.connect([](hub::shard_id, const auto&) {}, [&](const hub::publication_ptr&, const auto& ticket) { handed.set_value(ticket); }, [] {});
    hub.started(std::make_shared<const core::cursor_codec>("a log", "0123456789abcdef"), {5, 5, {}}, {});
    auto step = std::make_shared<core::batch>();
    step->before = {5, 5, {}};
    step->after = {6, 6, {}};
    step->complete = true;
    const auto began = std::chrono::steady_clock::now();
    hub.publish(step, {});
    auto ticket = handed.get_future().get();
    CHECK(hub.handing_out() == 0us);
    std::this_thread::sleep_for(20ms); // a shard that takes its time
    ticket.reset();
    hub.stop(); // which has let go of its own
    CHECK(hub.handing_out() >= 20ms);
    CHECK(hub.handing_out() <= std::chrono::steady_clock::now() - began);
}

} // namespace rowcast::app
