#pragma once

#include <boost/asio/awaitable.hpp>

#include "net/answer.hpp"
#include "net/channel.hpp"
#include "net/router.hpp"
#include "net/worker.hpp"

namespace rowcast::net {

// /v1/sse on a socket, up to its end; afterwards the connection is closed. `first` is the answer whose body the stream
// is. Fails, with nothing written, where there can be no stream.
boost::asio::awaitable<core::result<void>> run_stream(worker& on, channel& client, open_stream what, answer first,
                                        framing how);

// /v1/changes: the answer, as soon as there is one; nothing where the client left while we waited.
boost::asio::awaitable<std::optional<answer>> run_poll(worker& on, channel& client, open_poll what);

// /v1/rows: writes the whole answer, with the headers of `first` where rows come. Returns whether it came to its end, so
// that the connection may serve more. Fails, with nothing written, where there are no rows.
boost::asio::awaitable<core::result<bool>> run_rows(worker& on, channel& client, open_rows what, answer first,
                                      framing how);

} // namespace rowcast::net
