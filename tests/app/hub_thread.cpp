#include "app/hub_thread.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "app/log_readings.hpp"
#include "app/row_readings.hpp"
#include "support/recorder.hpp"

namespace rowcast::app {
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

} // namespace rowcast::app
