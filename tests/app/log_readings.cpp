#include "app/log_readings.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include <functional>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/recorder.hpp"

namespace rowcast::app {
namespace {

// A log of several pages that nobody has read, its readers' thread, and the one that serves them.
struct unread_log {
    static constexpr std::size_t changes = 1500;

    unread_log()
    {
        postgres::connection on{{.url = db.url()}};
        identity = postgres::claim_identity(on);
        from.seen = *core::snapshot::parse(on.execute("select pg_current_snapshot()").text(0, 0));
        log.expect(identity, codec = std::make_shared<const core::cursor_codec>(identity.codec()));
        db.execute("select rowcast.publish('c', 'said', to_json(n)) from generate_series(1, " + std::to_string(changes) + ") n");
    }

    std::unique_ptr<hub::log_reading> begin()
    {
        return log.begin(from, codec, {{hub::view_spec::channel{"c"}}}, [this](std::function<void()> what) { boost::asio::post(thread, std::move(what)); });
    }

    support::database db{support::with_rowcast};
    postgres::log_identity identity;
    std::shared_ptr<const core::cursor_codec> codec;
    core::cursor from;
    support::recorder seen;
    std::promise<void> others_wait;                     // with the first pass, which one who came alone has begun
    std::function<void()> begin_another_pass = [] {}; // takes as long as this does
    boost::asio::io_context thread; // of the readers
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> open_ended{thread.get_executor()};
    log_readings log{{.url = db.url()}, 1, [this, tell = seen.sink()](const observe::observation& what) {
                         tell(what);
                         if (std::holds_alternative<observe::log_pass>(what)) {
                             seen.count<observe::log_pass>() == 1 ? others_wait.get_future().wait() : begin_another_pass();
                         }
                     }};
};

// Asks for each page when it has `taken` the one before, to the end.
class reader {
public:
    explicit reader(unread_log& of, std::function<void()> take = [] {}) : take_(std::move(take)), reading_(of.begin()) {}

    void read()
    {
        reading_->next([this](core::result<hub::log_reading::page> page) {
            if (!page) {
                throw std::runtime_error(page.error().message);
            }
            at_end_ = !page->batch;
            if (!at_end_) {
                for (const core::change& each : page->batch->changes) {
                    read_.insert(each.where.id);
                }
                take_();
            }
            if (!at_end_ && !pauses_) {
                read();
            }
        });
    }
    void read_one_page()
    {
        pauses_ = true;
        read();
    }
    void read_on()
    {
        pauses_ = false;
        read();
    }

    bool at_end() const { return at_end_; }
    std::size_t changes() const { return read_.size(); }

private:
    std::function<void()> take_;
    bool pauses_ = false;
    bool at_end_ = false;
    std::set<core::change_id> read_;
    std::unique_ptr<hub::log_reading> reading_;
};

template <class Holds>
void run_until(unread_log& of, Holds&& holds)
{
    while (!holds()) {
        REQUIRE(of.thread.run_one_for(support::patience) == 1);
    }
}

// A pass begins when the first one asks: these ask while another is served, and meet in the next.
void begin_together(unread_log& of, const std::function<void()>& ask)
{
    reader another(of);
    another.read();
    of.seen.wait_for<observe::log_pass>();
    ask();
    of.others_wait.set_value();
    run_until(of, [&] { return another.at_end(); });
}

} // namespace

TEST_CASE("Readers that take their time, but less than the beginning of another pass, stay together")
{
    unread_log of;
    of.begin_another_pass = [&] { of.db.execute("select pg_sleep(1)"); };
    reader quick(of);
    reader thoughtful(of, [&] { of.db.execute("select pg_sleep(0.2)"); });
    begin_together(of, [&] {
        quick.read();
        thoughtful.read();
    });
    run_until(of, [&] { return quick.at_end() && thoughtful.at_end(); });
    CHECK(quick.changes() == of.changes);
    CHECK(thoughtful.changes() == of.changes);
    CHECK(of.seen.count<observe::log_pass>() == 2);
}

TEST_CASE("A reader that does not go on is left behind by the others, and served from where it is when it does")
{
    unread_log of;
    reader quick(of);
    reader idle(of);
    begin_together(of, [&] {
        quick.read();
        idle.read_one_page();
    });
    run_until(of, [&] { return quick.at_end(); });
    CHECK(quick.changes() == of.changes);
    CHECK(idle.changes() < of.changes);
    CHECK(of.seen.count<observe::log_pass>() == 2);
    idle.read_on();
    run_until(of, [&] { return idle.at_end(); });
    CHECK(idle.changes() == of.changes);
    CHECK(of.seen.count<observe::log_pass>() == 3);
}

} // namespace rowcast::app
