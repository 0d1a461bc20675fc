#include "net/websocket_session.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_suffix.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/conversation.hpp"
#include "protocol/websocket_frame.hpp"

namespace rowcast::net {
namespace {

namespace beast = boost::beast;
namespace close_number = protocol::close_number;
using namespace std::chrono_literals;
using boost::system::error_code;
using clock = std::chrono::steady_clock;
using protocol::frame_reader;
using protocol::opcode;

// A write that has waited so long and then goes through says that the client reads.
constexpr auto stalled = 1s;
// Read at once: little of a message that has not begun, since that is how most sessions spend their days.
constexpr std::size_t first_bytes = 128;
constexpr std::size_t more_bytes = 4096;
// Messages until others have their turn.
constexpr std::size_t most_at_once = 16;

using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, line::executor_type>;
using payload = std::shared_ptr<const std::string>;

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
        , reader_(settings_.limits.message_size)
        , alarm_(client_.get_executor())
        , talk_(on.shard(), on.words(), shared_, on.settings(), on.offered(), on.name_session(), [this](hub::feed::pull when) { pull(when); })
    {
    }

    ~websocket_session()
    {
        const auto ended = talk_.over().value_or(conversation::ending{core::close_code::none, "the client left"});
        shared_.tell(observe::session_closed{"websocket", talk_.name(), talk_.subject(), code_of(ended), ended.reason});
    }

    void begin(upgrade& from)
    {
        input_ = std::move(from.ahead);
        unread_ = input_;
        talk_.open(std::move(from.what.who), from.what.has_token, std::move(from.session), to_string(from.from), moment::now());
        shared_.tell(observe::session_opened{"websocket", talk_.name(), talk_.subject(), to_string(from.from)});
        if (from.goodbye) {
            say_goodbye(*from.goodbye);
        }
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
        advance();
    }

    void send_gathered() override
    {
        writing_ = false;
        auto message = std::exchange(output_, nullptr);
        if (stage_ == stage::closed) {
            return;
        }
        send(opcode::text, std::move(message));
        if (talk_.has_more()) {
            wake();
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
        while (!reading_ && !pong_or_close_waits() && stage_ != stage::closed) {
            if (stage_ == stage::parting) {
                if (!writing_) {
                    part();
                }
                return;
            }
            if (stage_ == stage::leaving || (stage_ == stage::talking && (talk_.over() || talk_.is_choked()))) {
                return;
            }
            if (unread_.empty()) {
                listen();
                return;
            }
            std::visit([this](const auto& what) { take(what); }, reader_.next(unread_));
            write();
        }
    }

    void listen()
    {
        const std::size_t size = reader_.is_between_messages() ? first_bytes : more_bytes;
        if (input_.size() != size) {
            input_ = std::string(size, '\0');
        }
        reading_ = true;
        client_.async_read_some(boost::asio::buffer(input_), then([this](error_code why, std::size_t got) {
            reading_ = false;
            if (why) {
                end(why.message());
            } else {
                unread_ = std::string_view(input_).substr(0, got);
                advance();
            }
        }));
    }

    void take(frame_reader::nothing) {}
    void take(const frame_reader::message& what)
    {
        if (what.is_text) {
            talk_.received(what.bytes, moment::now());
        } else {
            talk_.end(core::close_code::malformed, "messages are text");
        }
        keep_time(); // it may have been a token that ends sooner
    }
    void take(const frame_reader::ping& what)
    {
        talk_.heard(moment::now());
        if (stage_ == stage::talking) {
            answer_with(opcode::pong, std::string(what.payload)); // instead of a ping that waits: the client is there
        }
    }
    void take(frame_reader::pong) { talk_.heard(moment::now()); }
    void take(const frame_reader::close& what)
    {
        talk_.heard(moment::now());
        leave(what.code == close_number::none_given ? close_number::normal : what.code, "the client left");
    }
    void take(const frame_reader::violation& what) { leave(what.code, what.what); }

    // The client's close, which is given back, or what it has done wrong (RFC 6455, 7.1.5 and 7.1.7).
    void leave(std::uint16_t code, std::string_view reason)
    {
        if (stage_ == stage::talking) {
            left_with_ = code;
            talk_.end(core::close_code::none, std::string(reason));
            stage_ = stage::leaving;
        } else {
            stage_ = stage::parting;
        }
    }

    std::uint16_t code_of(const conversation::ending& last) const
    {
        return last.code == core::close_code::none ? left_with_ : static_cast<std::uint16_t>(last.code);
    }

    void answer_with(opcode kind, std::string what)
    {
        control_kind_ = kind;
        control_ = std::make_shared<const std::string>(std::move(what));
    }

    // A client is not read further that does not take the answer.
    bool pong_or_close_waits() const { return control_ && control_kind_ != opcode::ping; }

    void write()
    {
        for (std::size_t i = 0; i < most_at_once; ++i) {
            if (writing_ || stage_ == stage::closed) {
                return;
            }
            if (control_) {
                send(control_kind_, std::exchange(control_, nullptr));
            } else if (stage_ > stage::leaving) {
                return;
            } else if (auto message = talk_.next()) {
                if (home_.gathers()) {
                    output_ = std::move(message);
                    writing_ = true;
                    home_.gather(*this);
                    return;
                }
                send(opcode::text, std::move(message));
            } else if (const auto& last = talk_.over()) {
                const bool is_ours = last->code != core::close_code::none;
                answer_with(opcode::close, protocol::close_payload(code_of(*last), is_ours ? std::string_view(last->reason) : ""));
                stage_ = stage_ == stage::leaving ? stage::parting : stage::closing;
            } else {
                return;
            }
        }
        wake();
    }

    // Mostly the socket takes all of it at once.
    void send(opcode kind, payload what)
    {
        const std::array<boost::asio::const_buffer, 2> frame{boost::asio::buffer(header_, put_header(header_, kind, what->size())),
                                                             boost::asio::buffer(*what)};
        const std::size_t taken = client_.write_at_once(frame);
        if (taken == frame[0].size() + frame[1].size()) {
            return;
        }
        beast::buffers_suffix<std::array<boost::asio::const_buffer, 2>> rest(frame);
        rest.consume(taken);
        output_ = std::move(what);
        writing_ = true;
        boost::asio::async_write(client_, rest, then([this, begun = clock::now()](error_code why, std::size_t) {
            writing_ = false;
            output_.reset();
            if (why) {
                end(why.message());
                return;
            }
            if (clock::now() - begun > stalled) {
                talk_.heard(moment::now());
            }
            advance();
        }));
    }

    // Both closes have been said. The connection is ended by us (RFC 6455, 7.1.1), but closed with unread input it is reset, and what was said last may be
    // lost with it; so it lasts until the client has ended it as well, or the deadline.
    void part()
    {
        reading_ = true;
        if (client_.is_secure()) {
            client_.async_shutdown(then([this](error_code) { close(); }));
        } else {
            client_.end_sending();
            input_ = std::string(first_bytes, '\0');
            drain();
        }
    }

    void drain()
    {
        client_.async_read_some(boost::asio::buffer(input_), then([this](error_code why, std::size_t) {
            if (why) {
                close();
            } else {
                drain();
            }
        }));
    }

    void keep_time()
    {
        if (stage_ == stage::closed) {
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
        alarm_.async_wait(then([this](error_code why) {
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
        } else if (talk_.tick(moment::now()) && !control_ && stage_ == stage::talking) {
            answer_with(opcode::ping, {});
        }
        advance();
    }

    void end(std::string why)
    {
        talk_.end(core::close_code::none, std::move(why));
        close();
    }

    void close()
    {
        if (std::exchange(stage_, stage::closed) != stage::closed) {
            talk_.end(core::close_code::none, "the connection is gone");
            client_.close();
            alarm_.cancel();
        }
    }

    worker& home_;
    site& shared_;
    const config::server& settings_;
    line client_;
    const session_count::place place_; // among the connections
    frame_reader reader_;
    std::string input_;
    std::string_view unread_; // of it
    protocol::frame_header header_{};
    payload output_; // what the socket has not taken whole
    payload control_; // of the one frame that comes before the next message
    opcode control_kind_ = opcode::ping;
    timer alarm_;
    std::optional<clock::time_point> deadline_; // of a session that is over
    conversation talk_;
    std::uint16_t left_with_ = close_number::abnormal; // where the conversation has no code for its end
    // leaving: the client has said its close, ours comes behind what it has been answered. closing: ours is said, the client's is awaited. parting: both are.
    enum class stage : unsigned char { talking, leaving, closing, parting, closed } stage_ = stage::talking;
    bool reading_ = false;
    bool writing_ = false;
    bool woken_ = false;
    bool armed_ = false;
};

} // namespace

void begin_websocket(worker& on, upgrade from)
{
    std::make_shared<websocket_session>(on, from)->begin(from);
}

} // namespace rowcast::net
