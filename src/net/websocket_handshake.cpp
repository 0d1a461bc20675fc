#include "net/websocket_handshake.hpp"

#include <boost/beast/websocket/stream.hpp>

#include "net/wakeup.hpp"

namespace rowcast::net {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

// By Beast, whose stream is gone when this ends: frames are read and written by the session.
boost::asio::awaitable<bool> accept_websocket(channel& on, const beast::http::request<beast::http::string_body>& asked, std::chrono::milliseconds within)
{
    websocket::stream<channel&, false> handshake(on); // false: no compression yet
    const bool names_protocols = asked.find(beast::http::field::sec_websocket_protocol) != asked.end();
    handshake.set_option(websocket::stream_base::timeout{within, websocket::stream_base::none(), false});
    handshake.set_option(websocket::stream_base::decorator([names_protocols](websocket::response_type& answer) {
        answer.set(beast::http::field::server, "rowcast");
        if (names_protocols) {
            answer.set(beast::http::field::sec_websocket_protocol, "rowcast.v1");
        }
    }));
    auto [why] = co_await handshake.async_accept(asked, as_result);
    co_return !why;
}

} // namespace rowcast::net
