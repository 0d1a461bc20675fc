#include "net/websocket_session.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "net/conversation.hpp"
#include "net/wakeup.hpp"

namespace rowcast::net {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using namespace boost::asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using boost::asio::awaitable;
using clock = std::chrono::steady_clock;

// For the handshakes at both ends of a connection.
constexpr auto handshake_time = 5s;
// A write that has waited so long and then goes through says that the client reads.
constexpr auto stalled = 1s;

class websocket_session final : public activity {
public:
    websocket_session(worker& on, std::unique_ptr<channel> client)
        : activity(on)
        , shared_(on.shared())
        , settings_(on.settings())
        , client_(std::move(client))
        , stream_(*client_)
        , name_(on.name_session())
        , output_(stream_.get_executor())
        , input_(stream_.get_executor())
        , alarm_(stream_.get_executor())
        , beat_(stream_.get_executor())
        , talk_(on.shard(), shared_.with, on.settings(), shared_.count, name_, [this] { wake(); })
    {
    }

    awaitable<void> run(std::unique_ptr<upgrade> from)
    {
        const bool asked = from->request.find(beast::http::field::sec_websocket_protocol) != from->request.end();
        stream_.set_option(websocket::stream_base::timeout{handshake_time, websocket::stream_base::none(), false});
        stream_.set_option(websocket::stream_base::decorator([asked](websocket::response_type& answer) {
            answer.set(beast::http::field::server, "rowcast");
            if (asked) {
                answer.set(beast::http::field::sec_websocket_protocol, "rowcast.v1");
            }
        }));
        stream_.read_message_max(settings_.limits.message_size);
        auto [why] = co_await stream_.async_accept(from->request, as_result);
        if (why) {
            co_return;
        }
        stream_.control_callback([this](websocket::frame_type, beast::string_view) { talk_.heard(moment::now()); });
        talk_.open(std::move(from->what.who), from->what.has_token, moment::now());
        from.reset(); // what follows may last for days
        shared_.tell(observe::session_opened{"websocket", name_, talk_.subject()});
        co_await (read_all() && write_all() && keep_time() && send_pings());
        const auto ended = talk_.over().value_or(conversation::ending{core::close_code::none, "the client left"});
        shared_.tell(observe::session_closed{"websocket", name_, static_cast<unsigned>(ended.code), ended.reason});
    }

    void say_goodbye(std::chrono::milliseconds reconnect) override { talk_.say_goodbye(reconnect); }
    void reconsider() override { talk_.reconsider(); }
    void check_admission() override { talk_.check_admission(); }
    void abort() override { close(); }

private:
    awaitable<void> read_all()
    {
        beast::flat_buffer buffer;
        while (open_ && !talk_.over()) {
            if (talk_.is_choked()) {
                co_await input_.wait();
                continue;
            }
            auto [why, size] = co_await stream_.async_read(buffer, as_result);
            if (why) {
                leave(why);
                break;
            }
            if (!stream_.got_text()) {
                talk_.end(core::close_code::malformed, "messages are text");
                break;
            }
            talk_.received({static_cast<const char*>(buffer.data().data()), buffer.size()}, moment::now());
            buffer.consume(buffer.size());
            alarm_.notify(); // a fresh token ends at another time
        }
    }

    awaitable<void> write_all()
    {
        stream_.text(true);
        stream_.auto_fragment(false); // a message is one frame and one write, not one for each 4 KB
        while (open_) {
            if (auto message = talk_.next()) {
                const auto begun = clock::now();
                auto [why, size] = co_await stream_.async_write(boost::asio::buffer(*message), as_result);
                if (why) {
                    close();
                } else if (clock::now() - begun > stalled) {
                    talk_.heard(moment::now());
                }
                continue;
            }
            input_.notify();
            if (talk_.over()) {
                const auto ending = *talk_.over();
                if (ending.code != core::close_code::none) {
                    const websocket::close_reason reason(static_cast<websocket::close_code>(ending.code), ending.reason);
                    co_await stream_.async_close(reason, as_result);
                }
                close();
                break;
            }
            co_await output_.wait();
        }
    }

    awaitable<void> keep_time()
    {
        while (open_ && !talk_.over()) {
            const moment before = moment::now();
            co_await alarm_.wait(talk_.due(before));
            if (open_ && talk_.tick(moment::now())) {
                beat_.notify();
            }
        }
        // A client that does not take its last messages and the close is not waited for.
        const auto deadline = clock::now() + 2 * handshake_time;
        while (open_ && clock::now() < deadline) {
            co_await alarm_.wait(deadline);
        }
        close();
    }

    // On its own: a ping waits behind a message that a slow client does not take, time does not.
    awaitable<void> send_pings()
    {
        for (;;) {
            co_await beat_.wait();
            if (!open_ || talk_.over()) {
                break;
            }
            co_await stream_.async_ping({}, as_result);
        }
    }

    void wake()
    {
        output_.notify();
        if (talk_.over()) {
            alarm_.notify();
        }
    }

    // The reader's end: the client's close, or a broken connection.
    void leave(beast::error_code why)
    {
        if (why == websocket::error::message_too_big) {
            talk_.end(core::close_code::none, "message_too_large"); // Beast has closed with 1009
        } else {
            talk_.end(core::close_code::none, why == websocket::error::closed ? "the client left" : why.message());
        }
    }

    void close()
    {
        if (!open_) {
            return;
        }
        open_ = false;
        talk_.end(core::close_code::none, "the connection is gone");
        client_->close();
        output_.notify();
        input_.notify();
        alarm_.notify();
        beat_.notify();
    }

    site& shared_;
    const config::server& settings_;
    const std::unique_ptr<channel> client_;
    websocket::stream<channel&, false> stream_; // false: no compression yet
    const std::string name_;
    wakeup output_;
    wakeup input_;
    wakeup alarm_;
    wakeup beat_;
    conversation talk_;
    bool open_ = true;
};

} // namespace

awaitable<void> run_websocket(worker& on, std::unique_ptr<upgrade> from)
{
    websocket_session session(on, std::move(from->client));
    co_await session.run(std::move(from));
}

} // namespace rowcast::net
