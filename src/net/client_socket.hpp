#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

namespace rowcast::net {

// Of a client, over TCP or a Unix socket. Not of any executor: ten thousand that wait each hold what they know of theirs.
using client_socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;

} // namespace rowcast::net
