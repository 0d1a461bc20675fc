#include "net/connection.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <optional>
#include <tuple>

#include "net/admin_call.hpp"
#include "net/channel.hpp"
#include "net/offer.hpp"
#include "net/origin.hpp"
#include "net/stream_session.hpp"
#include "net/wakeup.hpp"
#include "net/websocket_handshake.hpp"
#include "net/websocket_session.hpp"
#include "protocol/proxy_header.hpp"

namespace rowcast::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using namespace std::chrono_literals;
using boost::asio::awaitable;
using core::error_code;
using message = http::request<http::string_body>;

constexpr std::size_t header_most = 16 * 1024;
constexpr std::size_t target_most = 8 * 1024;
constexpr std::uint64_t body_most = 64 * 1024;
constexpr int load_attempts = 3;

std::string text(const message& from, http::field name)
{
    const auto found = from[name];
    return {found.data(), found.size()};
}

// A list may be spread over several fields (RFC 9110 section 5.3), of which Beast sees the first.
void join(message& read, http::field name)
{
    if (read.count(name) < 2) {
        return;
    }
    std::string all;
    for (auto [each, end] = read.equal_range(name); each != end; ++each) {
        all.append(all.empty() ? "" : ", ").append(each->value());
    }
    read.set(name, all);
}

// What a request is for. The host stands there in the form that proxies are asked in, which all servers must take, and counts before
// the header's (RFC 9112 section 3.2.2).
struct target {
    std::string_view host;
    std::string_view path; // and query
};

target target_of(const message& read)
{
    const std::string_view whole(read.target().data(), read.target().size());
    const std::size_t scheme = whole.starts_with('/') ? std::string_view::npos : whole.find("://");
    if (scheme == std::string_view::npos || !(beast::iequals(whole.substr(0, scheme), "http") || beast::iequals(whole.substr(0, scheme), "https"))) {
        return {{}, whole};
    }
    const std::string_view rest = whole.substr(scheme + 3);
    const std::size_t host = std::min(rest.find_first_of("/?"), rest.size());
    return {rest.substr(0, host), host == rest.size() ? "/" : rest.substr(host)};
}

// Whether the client sends the request's content only when it has heard that it may (RFC 9110 section 10.1.1).
bool waits_for_leave(const message& read)
{
    return read.version() == 11 && beast::iequals(read[http::field::expect], "100-continue");
}

// Whether it is certain where the content ends, for whoever stands between the client and us too: encoded in chunks, and in no other
// way, and only since HTTP/1.1 (RFC 9112 section 6.1; Beast takes what it does not know for no content).
bool has_one_length(const message& read)
{
    const auto encodings = read.count(http::field::transfer_encoding);
    return encodings == 0 || (encodings == 1 && read.version() == 11 && beast::iequals(read[http::field::transfer_encoding], "chunked"));
}

// What may stand there once only: two readers could take different ones.
std::optional<core::failure> check(const message& read)
{
    if (read.target().size() > target_most) {
        return core::failure{error_code::message_too_large, "the URL is longer than 8 KB"};
    }
    if (!target_of(read).path.starts_with('/')) {
        return core::failure{error_code::bad_request, "the target of a request is a path"};
    }
    for (const http::field once : {http::field::host, http::field::authorization, http::field::origin, http::field::content_type,
                                   http::field::sec_websocket_key, http::field::sec_websocket_version}) {
        if (read.count(once) > 1) {
            return core::failure{error_code::bad_request, "the header " + std::string(http::to_string(once)) + " is there twice"};
        }
    }
    if (read.version() == 11 && read.count(http::field::host) == 0) {
        return core::failure{error_code::bad_request, "the header Host is missing"};
    }
    return std::nullopt;
}

// So that the page which asks can read it.
answer refuse_to(const request& asked, const core::failure& why)
{
    answer out = refuse(why);
    add_cors_headers(out, asked);
    return out;
}

// All of them, in their order: a proxy may add a line of its own instead of writing into the one that is there.
std::string forwarded_for(const message& read)
{
    std::string all;
    const auto [first, last] = read.equal_range("X-Forwarded-For");
    for (auto each = first; each != last; ++each) {
        all += (all.empty() ? "" : ",") + std::string(each->value());
    }
    return all;
}

request understand(const message& read, const origin_address& from)
{
    request out;
    out.method = {read.method_string().data(), read.method_string().size()};
    const auto [host, target] = target_of(read);
    const std::size_t mark = std::min(target.find('?'), target.size());
    out.path = target.substr(0, mark);
    out.query = target.substr(std::min(mark + 1, target.size()));
    out.host = host.empty() ? text(read, http::field::host) : std::string(host);
    out.origin = text(read, http::field::origin);
    const auto site = read["Sec-Fetch-Site"];
    out.fetch_site = {site.data(), site.size()};
    out.authorization = text(read, http::field::authorization);
    const auto last = read["Last-Event-ID"];
    out.last_event_id = {last.data(), last.size()};
    out.asked_method = text(read, http::field::access_control_request_method);
    out.protocols = text(read, http::field::sec_websocket_protocol);
    out.upgrade = beast::websocket::is_upgrade(read);
    out.websocket_key = text(read, http::field::sec_websocket_key);
    out.content_type = text(read, http::field::content_type);
    out.body = read.body();
    out.from = from;
    return out;
}

origin_address peer_of(const client_socket& client)
{
    boost::system::error_code why;
    const auto peer = client.remote_endpoint(why);
    return why ? std::nullopt : address_of(peer);
}

// As the metrics know them.
std::string_view kind_of(std::string_view path)
{
    return path == "/v1/ws"        ? "websocket"
           : path == "/v1/sse"     ? "sse"
           : path == "/v1/changes" ? "poll"
           : path == "/v1/rows"    ? "rows"
           : path == "/v1/session" ? "session"
                                   : "http";
}

// Whose request it is, as far as it is known.
std::string subject_of(const route& where)
{
    return std::visit([](const auto& each) -> std::string {
        if constexpr (requires { each.who.subject; }) {
            return each.who.subject;
        } else if constexpr (requires { each.subject; }) {
            return each.subject;
        } else {
            return {};
        }
    }, where);
}

class connection final : public activity {
public:
    connection(worker& on, client_socket client, door through)
        : activity(on)
        , on_(on)
        , through_(through)
        , peer_(peer_of(client))
        , counted_(is_trusted(peer_, on.settings().proxies) ? std::nullopt : peer_)
        , client_(std::make_unique<channel>(std::move(client), header_most + body_most))
    {
    }

    // Returns the client that wants to go on as a WebSocket.
    awaitable<std::unique_ptr<upgrade>> run()
    {
        if (through_.proxy_protocol) {
            open_ = co_await introduce();
        }
        if (const auto tls = on_.tls(); open_ && tls && through_.tls) {
            open_ = co_await secure(*tls);
        }
        while (open_) {
            if (!co_await first_bytes()) {
                break;
            }
            auto read = co_await read_request();
            if (!read) {
                break;
            }
            co_await serve(std::move(*read));
        }
        if (!upgrade_) {
            co_await client_->finish();
            client_->close();
        }
        co_return std::move(upgrade_);
    }

    void say_goodbye(std::chrono::milliseconds reconnect) override
    {
        goodbye_ = reconnect;
        if (idle_) {
            abort();
        }
    }
    void abort() override { client_->cancel(); open_ = false; }

private:
    // Reads who the client is from the PROXY protocol's header. Who does not begin with one is not listened to further.
    awaitable<bool> introduce()
    {
        if (!is_trusted(peer_, on_.settings().proxies)) {
            tell_refused("tcp", core::to_string(error_code::forbidden), "the PROXY protocol, of no trusted proxy");
            co_return false;
        }
        client_->expires_after(times().proxy_header);
        for (;;) {
            const auto bytes = client_->ahead().data();
            auto read = protocol::parse_proxy_header({static_cast<const char*>(bytes.data()), bytes.size()});
            if (const auto* header = std::get_if<protocol::proxy_header>(&read)) {
                client_->ahead().consume(header->size);
                peer_ = header->source ? header->source : peer_;
                client_->expires_never();
                co_return true;
            }
            if (const auto* wrong = std::get_if<core::failure>(&read)) {
                tell_refused("tcp", core::to_string(wrong->code), wrong->message);
                co_return false;
            }
            auto [why, size] = co_await client_->async_read_some(client_->ahead().prepare(protocol::longest_proxy_header), as_result);
            if (why) {
                tell_refused("tcp", core::to_string(error_code::malformed), "the PROXY protocol's header did not come: " + why.message());
                co_return false;
            }
            client_->ahead().commit(size);
        }
    }

    // Before it is known for whom a request comes.
    void tell_refused(std::string transport, std::string_view code, std::string detail) const
    {
        on_.shared().tell(observe::request_refused{std::move(transport), std::string(code), std::move(detail), {}, {}, to_string(peer_)});
    }

    awaitable<bool> secure(boost::asio::ssl::context& with)
    {
        idle_ = true; // nothing has been asked for
        const auto how = co_await client_->secure(with, times().tls_handshake);
        idle_ = false;
        if (how == channel::handshake::not_tls) {
            answer out = refuse({error_code::bad_request, "this port speaks TLS: https:// and wss://"});
            co_await write(to_http(out, {false, false, false, true})); // not in TLS
            co_await client_->drain();
        }
        co_return how == channel::handshake::done;
    }

    // Between requests there is nothing to lose: the server may stop, or the client stay away.
    awaitable<bool> first_bytes()
    {
        if (client_->ahead().size() > 0) {
            co_return true; // pipelined
        }
        if (goodbye_ || on_.is_stopping()) {
            co_return false;
        }
        idle_ = true;
        client_->expires_after(times().idle);
        auto [why, size] = co_await client_->async_read_some(client_->ahead().prepare(4096), as_result);
        idle_ = false;
        client_->ahead().commit(size);
        co_return !why;
    }

    // Nothing where there is none, which the client has been told.
    awaitable<std::optional<message>> read_request()
    {
        http::request_parser<http::string_body> parser;
        parser.header_limit(header_most);
        parser.body_limit(body_most);
        client_->expires_after(times().request);
        auto [why, size] = co_await http::async_read_header(*client_, client_->ahead(), parser, as_result);
        if (!why && !has_one_length(parser.get())) {
            why = http::error::bad_transfer_encoding;
        }
        if (!why && waits_for_leave(parser.get()) && !parser.is_done() && client_->ahead().size() == 0) {
            if (!co_await write("HTTP/1.1 100 Continue\r\n\r\n")) {
                co_return std::nullopt;
            }
            client_->expires_after(times().request);
        }
        std::optional<http::request_header<>> head;
        if (!why) {
            if (parser.chunked()) {
                head = parser.get().base();
            }
            std::tie(why, size) = co_await http::async_read(*client_, client_->ahead(), parser, as_result);
        }
        if (why) {
            co_await refuse_unreadable(why);
            co_return std::nullopt;
        }
        client_->expires_never();
        message read = parser.release();
        if (head) {
            read.base() = std::move(*head); // Beast adds the fields behind the content, which a proxy has not looked at
        }
        co_return read;
    }

    route find(const request& asked) const
    {
        return through_.for_operators ? on_.admin_routes().find(asked) : on_.routes().find(asked);
    }

    // What is the same of every answer, for the one after which the connection ends.
    framing last_answer() const
    {
        framing how{.keep_alive = false};
        const auto& certificate = on_.settings().certificate;
        if (certificate && through_.tls) {
            how.hsts = std::chrono::duration_cast<std::chrono::seconds>(certificate->hsts);
        }
        return how;
    }

    awaitable<void> refuse_unreadable(boost::system::error_code why)
    {
        if (why == beast::error::timeout) {
            tell_refused("http", "408", "a request did not come in time");
        }
        if (why == http::error::end_of_stream || why.category() != http::make_error_code(http::error::bad_method).category()) {
            co_return; // the client left, or was too slow
        }
        const bool too_large = why == http::error::header_limit || why == http::error::body_limit || why == http::error::buffer_overflow;
        const auto failed = too_large ? core::failure{error_code::message_too_large, "a request's header may have 16 KB, its body 64 KB"}
                                      : core::failure{error_code::malformed, "not a request of HTTP/1.1: " + why.message()};
        tell_refused("http", core::to_string(failed.code), failed.message);
        co_await write(to_http(refuse(failed), last_answer()));
        co_await client_->drain();
    }

    awaitable<void> serve(message read)
    {
        for (const http::field list : {http::field::connection, http::field::upgrade, http::field::sec_websocket_protocol}) {
            join(read, list);
        }
        framing how = last_answer();
        how.http_1_1 = read.version() == 11;
        how.head_only = read.method() == http::verb::head;
        how.keep_alive = read.keep_alive() && !goodbye_ && !on_.is_stopping();
        const request asked = understand(read, find_client(peer_, forwarded_for(read), on_.settings().proxies));
        on_.shared().tell(observe::request_made{kind_of(asked.path)});
        route where;
        if (const auto wrong = check(read)) {
            where = refuse(*wrong);
        } else if (const auto too_many = count_connect(asked.from)) {
            where = may_talk(asked, on_.settings().origins) ? refuse_to(asked, *too_many) : refuse(*too_many);
            how.keep_alive = false;
        } else {
            where = co_await find_and_load(asked);
        }

        if (auto* socket = std::get_if<open_websocket>(&where)) {
            open_ = false;
            if (co_await accept_websocket(*client_, read, times().websocket_handshake)) {
                auto session = on_.shared().count.enter(socket->who ? socket->who->subject : std::string(), asked.from);
                upgrade_.reset(new upgrade{client_->take_ahead(), line(std::move(client_)), {}, std::move(*socket), asked.from, std::move(session), goodbye_});
            }
            co_return;
        }
        const std::string subject = subject_of(where);
        std::optional<answer> out;
        if (auto* stream = std::get_if<open_stream>(&where)) {
            out = co_await give_stream(std::move(*stream), asked, how);
        } else if (auto* rows = std::get_if<open_rows>(&where)) {
            out = co_await give_rows(std::move(*rows), asked, how);
        } else if (auto* poll = std::get_if<open_poll>(&where)) {
            out = co_await gather(std::move(*poll), asked, how);
        } else if (auto* call = std::get_if<open_call>(&where)) {
            out = co_await run_call(on_, std::move(*call));
        } else {
            out = std::move(std::get<answer>(where));
        }
        if (!out) {
            co_return;
        }
        if (out->status >= 400) {
            on_.shared().tell(observe::request_refused{std::string(kind_of(asked.path)), out->code.empty() ? std::to_string(out->status) : std::string(out->code),
                                                       asked.path.substr(0, 100), {}, subject, to_string(asked.from)});
        }
        how.keep_alive = how.keep_alive && !goodbye_;
        const bool written = co_await write(to_http(*out, how));
        open_ = open_ && written && how.keep_alive;
    }

    // These return an answer that is to be written yet, or nothing.
    awaitable<std::optional<answer>> give_stream(open_stream what, const request& asked, framing how)
    {
        how.streamed = true;
        how.keep_alive = false;
        answer first;
        first.content_type = "text/event-stream";
        // Proxies keep streams back otherwise.
        first.headers = {{"Cache-Control", "no-cache, no-store"}, {"X-Accel-Buffering", "no"}};
        add_cors_headers(first, asked);
        const auto done = co_await run_stream(on_, *client_, std::move(what), std::move(first), how);
        if (!done) {
            co_return refuse_to(asked, done.error());
        }
        open_ = false;
        co_return std::nullopt;
    }

    awaitable<std::optional<answer>> give_rows(open_rows what, const request& asked, framing how)
    {
        how.streamed = true;
        how.keep_alive = how.keep_alive && how.http_1_1;
        answer first;
        add_cors_headers(first, asked);
        const auto whole = co_await run_rows(on_, *client_, std::move(what), std::move(first), how);
        if (!whole) {
            co_return refuse_to(asked, whole.error());
        }
        open_ = *whole && how.keep_alive && !goodbye_;
        co_return std::nullopt;
    }

    awaitable<std::optional<answer>> gather(open_poll what, const request& asked, framing how)
    {
        if (how.head_only) {
            what.asked.wait = 0s;
        }
        const bool offered_push = is_offered(on_.offered(), "websocket", what.user) || is_offered(on_.offered(), "sse", what.user);
        on_.shared().tell(observe::polled{offered_push});
        auto gathered = co_await run_poll(on_, *client_, std::move(what));
        if (gathered) {
            add_cors_headers(*gathered, asked);
        } else {
            open_ = false; // the client has left
        }
        co_return gathered;
    }

    // The listener has counted whoever came by themselves; a proxy's connection is one of each client that it brings.
    std::optional<core::failure> count_connect(const origin_address& from)
    {
        if (through_.for_operators || from == std::exchange(counted_, from) || !from) {
            return std::nullopt;
        }
        const auto within = on_.shared().connects.take(*from, on_.settings().limits.connects_per_second_per_address);
        return within ? std::nullopt : std::optional(within.error());
    }

    // With the sets loaded that it takes to know. They may be others again by the time they are there.
    awaitable<route> find_and_load(const request& asked)
    {
        services::set_values kept;
        for (int attempt = 0; attempt < load_attempts; ++attempt) {
            route where = find(asked);
            auto* missing = std::get_if<load_first>(&where);
            if (!missing) {
                co_return where;
            }
            auto loaded = co_await load(std::move(missing->sets));
            if (!loaded) {
                co_return refuse_to(asked, loaded.error());
            }
            kept = std::move(*loaded);
        }
        co_return refuse_to(asked, {error_code::unavailable, "what you may see changes faster than it can be read; ask again"});
    }

    awaitable<core::result<services::set_values>> load(std::vector<policy::set_call> sets)
    {
        const auto& with = on_.shared().with;
        if (!with.load_sets) {
            co_return core::failure{error_code::unavailable, ""};
        }
        struct reply {
            explicit reply(const boost::asio::any_io_executor& on) : there(on) {}
            wakeup there;
            std::optional<core::result<services::set_values>> values;
        };
        const auto waiting = std::make_shared<reply>(client_->get_executor());
        with.load_sets(on_.shard().id(), std::move(sets), [waiting](core::result<services::set_values> values) {
            waiting->values = std::move(values);
            waiting->there.notify();
        });
        while (!waiting->values) {
            co_await waiting->there.wait();
        }
        co_return std::move(*waiting->values);
    }

    const time_limits& times() const { return on_.shared().times; }
    awaitable<bool> write(std::string bytes) { return client_->write(std::move(bytes), times().answer_piece); }

    worker& on_;
    const door through_;
    origin_address peer_;    // or whom the PROXY protocol names
    origin_address counted_; // whose connection this has been counted as
    std::unique_ptr<channel> client_;
    std::unique_ptr<upgrade> upgrade_;
    bool open_ = true;
    bool idle_ = false;
    std::optional<std::chrono::milliseconds> goodbye_; // the server stops: this request is the last one
};

} // namespace

awaitable<void> serve_connection(worker& on, client_socket client, session_count::place place, door through)
{
    auto served = std::make_unique<connection>(on, std::move(client), through);
    if (auto next = co_await served->run()) {
        served.reset(); // it has nothing left that it served
        next->place = std::move(place);
        begin_websocket(on, std::move(*next));
    }
}

} // namespace rowcast::net
