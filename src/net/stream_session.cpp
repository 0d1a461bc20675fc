#include "net/stream_session.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>

#include <array>

#include "net/caller.hpp"
#include "net/event_stream.hpp"
#include "net/offer.hpp"
#include "net/poll.hpp"
#include "net/rows_answer.hpp"
#include "net/wakeup.hpp"

namespace rowcast::net {
namespace {

using namespace boost::asio::experimental::awaitable_operators;
using boost::asio::awaitable;
using clock = std::chrono::steady_clock;

void describe_request(session_description& to, const subscription_request& of, clock::time_point begun)
{
    to.age = std::chrono::floor<std::chrono::seconds>(clock::now() - begun);
    net::describe(to, of);
}

class stream_session final : public activity {
public:
    stream_session(worker& on, channel& client, open_stream what, session_count::place place, bool chunked)
        : activity(on)
        , shared_(on.shared())
        , offered_(on.offered())
        , client_(client)
        , name_(on.name_session())
        , chunked_(chunked)
        , output_(client.get_executor())
        , alarm_(client.get_executor())
        , events_(on.shard(), shared_, on.settings(), std::move(place), std::move(what), [this] { output_.notify(); })
    {
    }

    core::result<void> open() { return events_.open(name_, moment::now()); }

    awaitable<void> run(std::string head)
    {
        shared_.tell(observe::session_opened{"sse", name_, events_.what().who.subject, to_string(events_.what().from)});
        co_await (write_all(std::move(head)) && notice_leaving() && keep_time());
        shared_.tell(observe::session_closed{"sse", name_, events_.what().who.subject, 0, reason_});
    }

    void say_goodbye(std::chrono::milliseconds reconnect) override
    {
        reason_ = "shutdown";
        events_.say_goodbye(reconnect);
    }
    void check_offer(std::chrono::milliseconds reconnect) override
    {
        if (!is_offered(offered_, "sse", events_.what().user)) {
            reason_ = "not_offered";
            events_.say_goodbye(reconnect);
        }
    }
    void reconsider() override { events_.reconsider(); }
    void check_admission() override { events_.check_admission(); }
    void abort() override { close("aborted"); }

    std::string_view session() const override { return name_; }
    std::string_view user() const override { return events_.what().who.subject; }
    std::string_view transport() const override { return "sse"; }
    hub::standing standing() const override { return events_.standing(); }
    void describe(session_description& to) const override { describe_request(to, events_.what(), begun_); }

private:
    awaitable<void> write_all(std::string text)
    {
        while (open_) {
            auto [why, size] = co_await boost::asio::async_write(client_, boost::asio::buffer(text), as_result);
            if (why) {
                close("the client is gone");
                break;
            }
            auto more = next();
            while (open_ && !more && !events_.is_over()) {
                co_await output_.wait();
                more = next();
            }
            if (!more) {
                break;
            }
            text = chunked_ ? chunk(*more) : std::move(*more);
        }
        if (open_ && chunked_) {
            text = chunk("");
            co_await boost::asio::async_write(client_, boost::asio::buffer(text), as_result);
        }
        close("ended");
    }

    std::optional<std::string> next()
    {
        auto text = events_.next();
        if (events_.has_fallen_behind()) {
            shared_.tell(observe::fell_behind{name_});
        }
        return text;
    }

    // Nothing is expected from the client but that it leaves.
    awaitable<void> notice_leaving()
    {
        std::array<char, 512> ignored;
        for (;;) {
            auto [why, size] = co_await client_.async_read_some(boost::asio::buffer(ignored), as_result);
            if (why) {
                close("the client is gone");
                break;
            }
        }
    }

    awaitable<void> keep_time()
    {
        while (open_) {
            co_await alarm_.wait(events_.due(moment::now()));
            events_.tick(moment::now());
        }
    }

    void close(const char* reason)
    {
        if (!open_) {
            return;
        }
        open_ = false;
        reason_ = reason_.empty() ? reason : reason_;
        client_.cancel();
        output_.notify();
        alarm_.notify();
    }

    site& shared_;
    const config::rollout& offered_;
    channel& client_;
    const std::string name_;
    const clock::time_point begun_ = clock::now();
    const bool chunked_;
    wakeup output_;
    wakeup alarm_;
    event_stream events_;
    bool open_ = true;
    std::string reason_;
};

class poll_session final : public activity {
public:
    poll_session(worker& on, channel& client, open_poll what)
        : activity(on)
        , client_(client)
        , name_(on.name_session())
        , output_(client.get_executor())
        , poll_(on.shard(), on.shared(), on.settings(), std::move(what), [this] { output_.notify(); })
    {
    }

    awaitable<std::optional<answer>> run()
    {
        auto done = poll_.open(clock::now());
        while (!done) {
            done = refused_ ? refused_ : stopping_ ? poll_.cut_short() : poll_.step(clock::now());
            if (!done && (co_await (output_.wait(poll_.due()) || client_.leaving())).index() == 1) {
                break;
            }
        }
        co_return done;
    }

    void say_goodbye(std::chrono::milliseconds) override
    {
        stopping_ = true;
        output_.notify();
    }
    void reconsider() override { poll_.reconsider(); }
    void check_admission() override
    {
        refused_ = poll_.check_admission();
        output_.notify();
    }
    void abort() override
    {
        client_.close();
        say_goodbye({});
    }

    std::string_view session() const override { return name_; }
    std::string_view user() const override { return poll_.what().who.subject; }
    std::string_view transport() const override { return "poll"; }
    hub::standing standing() const override { return poll_.standing(); }
    void describe(session_description& to) const override { describe_request(to, poll_.what(), begun_); }

private:
    channel& client_;
    const std::string name_; // while it is answered
    const clock::time_point begun_ = clock::now();
    wakeup output_;
    poll poll_;
    std::optional<answer> refused_;
    bool stopping_ = false;
};

// A client that takes nothing holds up its reading until that has had its time, and then this ends with the bytes that
// the system holds for it.
class rows_session final : public activity {
public:
    rows_session(worker& on, channel& client, open_rows what)
        : activity(on)
        , with_(on.shared().with)
        , who_(what.who)
        , client_(client)
        , output_(client.get_executor())
        , times_(on.shared().times)
        , rows_(on.shard(), with_, std::move(what), [this] { output_.notify(); })
    {
    }

    awaitable<core::result<bool>> run(answer first, framing how)
    {
        auto piece = co_await next();
        if (rows_.refused()) {
            co_return *rows_.refused();
        }
        std::string text = to_http(first, how);
        while (piece) {
            text += how.http_1_1 ? chunk(*piece) : *piece;
            if (!co_await client_.write(std::exchange(text, {}), times_.answer_piece)) {
                co_return false;
            }
            piece = co_await next();
        }
        if (!rows_.is_over()) {
            co_return false; // the client has left
        }
        co_return !how.http_1_1 || co_await client_.write(chunk(""), times_.answer_piece);
    }

    void say_goodbye(std::chrono::milliseconds) override { rows_.fail({core::error_code::shutdown, ""}); }
    void reconsider() override { rows_.reconsider(); }
    void check_admission() override
    {
        if (const auto fine = admit(who_, "", with_); !fine) {
            rows_.fail(fine.error());
        }
    }
    void abort() override
    {
        client_.close();
        say_goodbye({});
    }

private:
    awaitable<std::optional<std::string>> next()
    {
        auto piece = rows_.next();
        while (!piece && !rows_.is_over()) {
            if ((co_await (output_.wait() || client_.leaving())).index() == 1) {
                break;
            }
            piece = rows_.next();
        }
        co_return piece;
    }

    const services& with_;
    const policy::identity who_;
    channel& client_;
    wakeup output_;
    const time_limits& times_;
    rows_answer rows_;
};

} // namespace

awaitable<core::result<void>> run_stream(worker& on, channel& client, open_stream what, answer first, framing how)
{
    auto place = on.shared().count.enter(what.who.subject, what.from);
    if (!place) {
        co_return place.error();
    }
    if (how.head_only) {
        co_await client.write(to_http(first, how), on.shared().times.answer_piece);
        co_return core::result<void>();
    }
    stream_session session(on, client, std::move(what), std::move(*place), how.http_1_1);
    auto opened = session.open();
    if (opened) {
        co_await session.run(to_http(first, how));
    }
    co_return opened;
}

awaitable<std::optional<answer>> run_poll(worker& on, channel& client, open_poll what)
{
    auto place = on.shared().count.enter(what.who.subject, what.from);
    if (!place) {
        co_return refuse(place.error());
    }
    poll_session session(on, client, std::move(what));
    co_return co_await session.run();
}

awaitable<core::result<bool>> run_rows(worker& on, channel& client, open_rows what, answer first, framing how)
{
    auto place = on.shared().count.enter(what.who.subject, what.from);
    if (!place) {
        co_return place.error();
    }
    if (how.head_only) {
        co_return co_await client.write(to_http(first, how), on.shared().times.answer_piece);
    }
    rows_session session(on, client, std::move(what));
    co_return co_await session.run(std::move(first), how);
}

} // namespace rowcast::net
