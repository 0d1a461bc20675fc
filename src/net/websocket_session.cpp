#include "net/websocket_session.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/conversation.hpp"
#include "net/frame_channel.hpp"
#include "net/wakeup.hpp"

namespace rowcast::net {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

// A write that has waited so long and then goes through says that the client reads.
constexpr auto stalled = 1s;
// Read at once: little of a message that has not begun, since that is how most sessions spend their days.
constexpr std::size_t first_bytes = 128;
constexpr std::size_t more_bytes = 4096;
// Messages until others have their turn.
constexpr std::size_t most_at_once = 16;

// The header of a text in one frame from a server (RFC 6455, 5.2).
using frame_header = std::array<unsigned char, 10>;

boost::asio::const_buffer put_header(frame_header& into, std::uint64_t size)
{
    const std::size_t length = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8; // bytes of it that follow
    into[0] = 0x81; // final, text
    into[1] = static_cast<unsigned char>(length == 0 ? size : length == 2 ? 126 : 127);
    for (std::size_t i = 0; i < length; ++i) {
        into[2 + i] = static_cast<unsigned char>(size >> (8 * (length - 1 - i)));
    }
    return boost::asio::buffer(into, 2 + length);
}

// With what a reader's end closes a WebSocket (RFC 6455, 7.4.1): Beast answers by itself.
websocket::close_code close_code_of(beast::error_code why, const websocket::close_reason& said)
{
    using websocket::close_code;
    if (why == websocket::error::closed) {
        return said.code == close_code::none ? close_code::normal : static_cast<close_code>(said.code);
    }
    return why == websocket::error::message_too_big            ? close_code::too_big
           : why == websocket::error::bad_frame_payload        ? close_code::bad_payload
           : why == websocket::condition::protocol_violation   ? close_code::protocol_error
                                                               : close_code::abnormal;
}

// Functions that call each other instead of coroutines: ten thousand idle sessions are mostly the frames of what waits. It lives
// as long as something of it is under way.
class websocket_session final : public activity, public std::enable_shared_from_this<websocket_session> {
public:
    websocket_session(worker& on, upgrade& from)
        : activity(on)
        , home_(on)
        , shared_(on.shared())
        , settings_(on.settings())
        , client_(std::move(from.client))
        , place_(std::move(from.place))
        , channel_(*client_)
        , stream_(channel_)
        , alarm_(stream_.get_executor())
        , talk_(on.shard(), on.words(), shared_, on.settings(), on.offered(), on.name_session(), [this](hub::feed::pull when) { pull(when); })
    {
    }

    ~websocket_session()
    {
        if (begun_) {
            const auto ended = talk_.over().value_or(conversation::ending{core::close_code::none, "the client left"});
            const auto code = ended.code == core::close_code::none ? left_with_ : static_cast<unsigned>(ended.code);
            shared_.tell(observe::session_closed{"websocket", talk_.name(), talk_.subject(), code, ended.reason});
        }
    }

    boost::asio::awaitable<bool> accept(const upgrade& from)
    {
        const bool asked = from.request.find(beast::http::field::sec_websocket_protocol) != from.request.end();
        stream_.set_option(websocket::stream_base::timeout{shared_.times.websocket_handshake, websocket::stream_base::none(), false});
        stream_.set_option(websocket::stream_base::decorator([asked](websocket::response_type& answer) {
            answer.set(beast::http::field::server, "rowcast");
            if (asked) {
                answer.set(beast::http::field::sec_websocket_protocol, "rowcast.v1");
            }
        }));
        stream_.read_message_max(settings_.limits.message_size);
        auto [why] = co_await stream_.async_accept(from.request, as_result);
        co_return !why;
    }

    void begin(upgrade& from)
    {
        begun_ = true;
        stream_.control_callback([this](websocket::frame_type, beast::string_view) { talk_.heard(moment::now()); });
        talk_.open(std::move(from.what.who), from.what.has_token, std::move(from.session), to_string(from.from), moment::now());
        shared_.tell(observe::session_opened{"websocket", talk_.name(), talk_.subject(), to_string(from.from)});
        advance();
    }

    void say_goodbye(std::chrono::milliseconds reconnect) override { talk_.say_goodbye(reconnect); }
    void check_offer(std::chrono::milliseconds reconnect) override { talk_.check_offer(reconnect); }
    void reconsider() override { talk_.reconsider(); }
    void check_admission() override { talk_.check_admission(); }
    void abort() override { close(); }
    void go_on() override
    {
        woken_ = false;
        if (begun_) { // a goodbye may come while the upgrade is being answered
            advance();
        }
    }

    std::string_view session() const override { return talk_.name(); }
    std::string_view user() const override { return talk_.subject(); }
    std::string_view transport() const override { return "websocket"; }
    hub::standing standing() const override { return talk_.standing(); }
    void describe(session_description& to) const override
    {
        talk_.describe(to, moment::now());
    }

private:
    // What follows an operation. Until then this lives; should it throw, then not much longer.
    template <class Function>
    auto then(Function does)
    {
        return [self = shared_from_this(), does](auto... how) {
            try {
                does(how...);
            } catch (...) {
                self->close();
                throw; // to the worker, which tells
            }
        };
    }

    void pull(hub::feed::pull when)
    {
        if (when == hub::feed::pull::now) {
            home_.go_on(*this);
        } else {
            wake();
        }
    }

    void wake()
    {
        if (!std::exchange(woken_, true)) {
            home_.wake(shared_from_this());
        }
    }

    // Begins what can be done and is not under way.
    void advance()
    {
        write();
        read();
        if (!armed_ || talk_.over()) {
            keep_time();
        }
    }

    void read()
    {
        if (reading_ || !open_ || talk_.over() || talk_.is_choked()) {
            return;
        }
        reading_ = true;
        const auto room = input_.prepare(input_.size() == 0 ? first_bytes : more_bytes);
        stream_.async_read_some(room, then([this](beast::error_code why, std::size_t size) {
            reading_ = false;
            input_.commit(size);
            if (why) {
                leave(why);
            } else if (stream_.is_message_done()) {
                received();
            }
            advance();
        }));
    }

    void received()
    {
        if (stream_.got_text()) {
            talk_.received({static_cast<const char*>(input_.data().data()), input_.size()}, moment::now());
        } else {
            talk_.end(core::close_code::malformed, "messages are text");
        }
        input_.clear();
        if (input_.capacity() > first_bytes) {
            input_.shrink_to_fit();
        }
        keep_time(); // it may have been a token that ends sooner
    }

    void write()
    {
        for (std::size_t i = 0; i < most_at_once; ++i) {
            if (writing_ || !open_) {
                return;
            }
            if (auto message = stream_.is_open() ? talk_.next() : nullptr) {
                send(std::move(message));
            } else {
                if (talk_.over()) {
                    writing_ = true;
                    say_farewell(*talk_.over());
                }
                return;
            }
        }
        wake();
    }

    // Not by Beast, whose way to write costs more than the kernel's: mostly the socket takes all of it at once.
    void send(std::shared_ptr<const std::string> message)
    {
        output_ = std::move(message);
        const std::array<boost::asio::const_buffer, 2> frame{put_header(header_, output_->size()), boost::asio::buffer(*output_)};
        beast::buffers_suffix<std::array<boost::asio::const_buffer, 2>> rest(frame);
        rest.consume(channel_.write_at_once(frame));
        if (beast::buffer_bytes(rest) == 0) {
            output_.reset();
            return;
        }
        writing_ = true;
        channel_.async_write_some(rest, then([this, begun = clock::now()](beast::error_code why, std::size_t) {
            writing_ = false;
            output_.reset();
            if (why) {
                close();
            } else if (clock::now() - begun > stalled) {
                talk_.heard(moment::now());
            }
            advance();
        }));
    }

    void say_farewell(const conversation::ending& last)
    {
        if (last.code == core::close_code::none) {
            close();
        } else {
            const websocket::close_reason reason(static_cast<websocket::close_code>(last.code), last.reason);
            stream_.async_close(reason, then([this](beast::error_code) { close(); }));
        }
    }

    void keep_time()
    {
        if (!open_) {
            return;
        }
        const moment now = moment::now();
        if (talk_.over() && !deadline_) {
            deadline_ = now.steady + 2 * shared_.times.websocket_handshake;
        }
        const auto due = deadline_.value_or(talk_.due(now));
        if (armed_ && alarm_.expiry() <= due) {
            return; // it is looked again then
        }
        armed_ = true;
        alarm_.expires_at(due);
        alarm_.async_wait(then([this](beast::error_code why) {
            if (!why) {
                armed_ = false;
                be_on_time();
            }
        }));
    }

    void be_on_time()
    {
        if (deadline_ && clock::now() >= *deadline_) {
            close(); // a client that does not take its last messages and the close is not waited for
        } else if (talk_.tick(moment::now())) {
            ping();
        }
        advance();
    }

    // Beside `write`: a ping waits behind a message that a slow client does not take, time does not.
    void ping()
    {
        if (!std::exchange(pinging_, true)) {
            stream_.async_ping({}, then([this](beast::error_code) { pinging_ = false; }));
        }
    }

    // The reader's end: the client's close, or a broken connection.
    void leave(beast::error_code why)
    {
        left_with_ = close_code_of(why, stream_.reason());
        talk_.end(core::close_code::none, why == websocket::error::closed            ? "the client left"
                                          : why == websocket::error::message_too_big ? "message_too_large"
                                                                                     : why.message());
    }

    void close()
    {
        if (std::exchange(open_, false)) {
            talk_.end(core::close_code::none, "the connection is gone");
            client_->close();
            alarm_.cancel();
        }
    }

    worker& home_;
    site& shared_;
    const config::server& settings_;
    const std::unique_ptr<channel> client_;
    const session_count::place place_; // among the connections
    frame_channel channel_;
    websocket::stream<frame_channel&, false> stream_; // false: no compression yet
    beast::flat_buffer input_;
    frame_header header_{};
    std::shared_ptr<const std::string> output_; // what the socket has not taken whole
    boost::asio::steady_timer alarm_;
    std::optional<clock::time_point> deadline_; // of a session that is over
    conversation talk_;
    unsigned left_with_ = websocket::close_code::abnormal; // where the conversation has no code for its end
    bool begun_ = false;
    bool open_ = true;
    bool reading_ = false;
    bool writing_ = false;
    bool pinging_ = false;
    bool woken_ = false;
    bool armed_ = false;
};

} // namespace

boost::asio::awaitable<void> run_websocket(worker& on, std::unique_ptr<upgrade> from)
{
    const auto session = std::make_shared<websocket_session>(on, *from);
    if (co_await session->accept(*from)) {
        session->begin(*from);
    }
}

} // namespace rowcast::net
